#include "cli/demo.hpp"

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <thread>

#include "cli/commands.hpp"
#include "cli/demo_client.hpp"
#include "cli/demo_functions.hpp"
#include "fnkit/server/server.hpp"

namespace fnkit::cli {
namespace {

constexpr std::string_view kDefaultListen = "127.0.0.1:8080";

struct DemoPipeline {
  std::string_view title;
  std::string_view name;
  std::string_view config;
  std::string_view body;
  std::string_view answer;
};

// The two pipelines of FnKit's documentation, and what they answer to its two curl lines.
constexpr DemoPipeline kPipelines[] = {
    {"sequential: validate-order -> charge-payment -> send-email", "process-order",
     R"({"mode":"sequential","steps":["validate-order","charge-payment","send-email"]})",
     R"({"orderId": 123})", R"({"orderId": 123,"valid":true,"payment":"charged","email":"sent"})"},
    {"parallel: get-profile, get-preferences, get-history", "enrich-user",
     R"({"mode":"parallel","steps":["get-profile","get-preferences","get-history"]})",
     R"({"userId": 456})",
     R"({"get-profile":{"name":"Alice","email":"alice@example.com"},)"
     R"("get-preferences":{"theme":"dark","lang":"en"},)"
     R"("get-history":[{"action":"login","ts":"2025-01-01"}]})"},
};

// A directory that is the embedded store; gone with this object.
class TemporaryStore {
 public:
  TemporaryStore() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fnkit-demo-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) return;
    path_ = pattern;
    for (const DemoPipeline& pipeline : kPipelines) {
      std::ofstream(path_ / (std::string(pipeline.name) + ".json")) << pipeline.config;
    }
  }
  ~TemporaryStore() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;

  bool made() const { return !path_.empty(); }
  std::string url() const { return "file://" + path_.string(); }

 private:
  std::filesystem::path path_;
};

std::string curl_line(const DemoPipeline& pipeline, const std::string& base_url) {
  std::string line = "curl -H \"Authorization: Bearer token\" -d '";
  line += pipeline.body;
  line += "' " + base_url + "/orchestrate/";
  line += pipeline.name;
  return line;
}

// "http://localhost:PORT" where that reaches the listener, as the documented lines have it.
std::string base_url_of(const net::Address& address) {
  const std::string text = address.to_text();
  const bool local = text.rfind("127.0.0.1:", 0) == 0 || text.rfind("0.0.0.0:", 0) == 0;
  return "http://" + (local ? "localhost:" + std::to_string(address.port()) : text);
}

void print_how_to_call(const std::string& base_url) {
  std::cout << "\nThe demo runs at " << base_url << " (Ctrl-C ends it). In another terminal:\n";
  for (const DemoPipeline& pipeline : kPipelines) {
    std::cout << "\n# " << pipeline.title << "\n" << curl_line(pipeline, base_url) << '\n';
  }
  std::cout << '\n' << std::flush;
}

bool call_and_show(const DemoPipeline& pipeline, const net::Address& address,
                   const std::string& base_url) {
  const std::string target = "/orchestrate/" + std::string(pipeline.name);
  const DemoAnswer answer = post(address, target, pipeline.body);
  const bool right = answer.status == 200 && answer.body == pipeline.answer;
  std::cout << "\n# " << pipeline.title << "\n$ " << curl_line(pipeline, base_url) << '\n'
            << answer.body << '\n';
  if (!right) {
    std::cout << "WRONG (status " << answer.status << "), expected:\n" << pipeline.answer << '\n';
  }
  return right;
}

class Observer final : public server::StartObserver {
 public:
  explicit Observer(bool once) : once_(once) {}
  ~Observer() override {
    if (caller_.joinable()) caller_.join();
  }

  void listening(const std::vector<net::Address>& addresses) override {
    caller_ = std::thread(&Observer::go_on, this, addresses.front());
  }

  // After the server has ended.
  bool all_right() {
    if (caller_.joinable()) caller_.join();
    return all_right_;
  }

 private:
  // The lines are shown once they work.
  void go_on(net::Address address) {
    const std::string base_url = base_url_of(address);
    all_right_ = wait_until_ready(address);
    if (once_) {
      call_all(address, base_url);
    } else if (all_right_) {
      print_how_to_call(base_url);
    }
  }

  void call_all(const net::Address& address, const std::string& base_url) {
    for (const DemoPipeline& pipeline : kPipelines) {
      const bool right = call_and_show(pipeline, address, base_url);
      all_right_ = all_right_ && right;
    }
    std::cout << (all_right_ ? "\nBoth answers are right.\n" : "\nThe demo failed.\n")
              << std::flush;
    kill(getpid(), SIGTERM);
  }

  bool once_;
  bool all_right_ = true;
  std::thread caller_;
};

}  // namespace

int demo(FlagValues flags, bool once) {
  const TemporaryStore store;
  if (!store.made()) return fail(server::kExitFailed, "cannot make a temporary directory");
  flags["--cache-url"] = {store.url()};
  if (flags["--listen"].empty()) flags["--listen"] = {std::string(kDefaultListen)};
  // Signals are blocked before any thread starts, or one of them would be ended by SIGTERM.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Result<std::unique_ptr<DemoFunctions>> functions = DemoFunctions::start();
  if (!functions) return fail(server::kExitFailed, functions.error().message);
  flags["--resolve"].clear();
  for (const std::string& name : DemoFunctions::names()) {
    flags["--resolve"].push_back(name + "=" + (*functions)->address().to_text());
  }
  Result<server::Settings> settings = make_settings(flags);
  if (!settings) return fail(server::kExitUsage, settings.error().message);
  settings->tokens = server::Tokens();  // the printed lines work whatever the environment holds
  settings->token_file.clear();
  Observer observer(once);
  const int exit_code = server::serve(*settings, &observer);
  if (exit_code != server::kExitDone) {
    return fail(exit_code, "the demo could not start; --listen ADDR:PORT chooses another address");
  }
  return observer.all_right() ? server::kExitDone : server::kExitFailed;
}

}  // namespace fnkit::cli
