#include "live.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "fnkit/base/text.hpp"
#include "fnkit/net/listener.hpp"

namespace fnkit::test {
namespace {

bool is_executable(const std::string& path) { return ::access(path.c_str(), X_OK) == 0; }

}  // namespace

std::string find_server(const std::string& program) {
  const char* variable = program == "valkey-server" ? "FNKIT_VALKEY_SERVER" : "FNKIT_REDIS_SERVER";
  if (const char* path = std::getenv(variable)) return path;
  if (const char* search = std::getenv("PATH")) {
    for (const std::string_view folder : split(search, ':')) {
      const std::string path = std::string(folder) + "/" + program;
      if (is_executable(path)) return path;
    }
  }
  const std::string fetched = std::string(FNKIT_SERVERS) + "/" + program + "/run";
  return is_executable(fetched) ? fetched : "";
}

uint16_t free_port() {
  Result<net::Address> any = net::Address::parse("127.0.0.1:0");
  Result<int> listener = net::open_listener(*any, net::ListenAs::sole);
  REQUIRE(listener);
  Result<net::Address> bound = net::Address::of_socket(*listener);
  ::close(*listener);
  return bound->port();
}

TemporaryFolder::TemporaryFolder() {
  path_ = (std::filesystem::temp_directory_path() / "fnkit-XXXXXX").string();
  REQUIRE(::mkdtemp(path_.data()) != nullptr);
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Server::Server(std::string program, std::vector<std::string> options)
    : program_(std::move(program)), options_(std::move(options)) {
  start();
}
Server::~Server() { kill(); }

void Server::start() {
  REQUIRE(pid_ < 0);
  std::vector<std::string> words = {program_,
                                    "--port",
                                    "0",
                                    "--unixsocket",
                                    socket(),
                                    "--save",
                                    "",
                                    "--dir",
                                    folder_.path(),
                                    "--logfile",
                                    folder_.path() + "/log",
                                    "--enable-debug-command",
                                    "yes"};
  words.insert(words.end(), options_.begin(), options_.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_ = ::fork();
  REQUIRE(pid_ >= 0);
  if (pid_ > 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves no server behind
  ::execv(program_.c_str(), arguments.data());
  ::_exit(127);
}

void Server::signal(int number) const { ::kill(pid_, number); }

void Server::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

void Published::publish(std::shared_ptr<const store::Snapshot> next) {
  snapshot = std::move(next);
  last = std::chrono::steady_clock::now();
  ++count;
}

std::string Published::step(std::string_view name) const {
  const store::Entry* entry = snapshot ? snapshot->find(name) : nullptr;
  if (entry == nullptr || entry->plan == nullptr) return "";
  const std::vector<std::string> steps = pipeline::step_names(*entry->plan);
  return steps.empty() ? "" : steps.front();
}

std::string Published::invalid(std::string_view name) const {
  const store::Entry* entry = snapshot ? snapshot->find(name) : nullptr;
  return entry == nullptr ? "" : entry->invalid;
}

bool Published::has(std::string_view name) const { return snapshot && snapshot->find(name); }

std::string config(const std::string& step) { return R"({"steps":[")" + step + R"("]})"; }

Live::Live() : look_again_([](void*) {}, nullptr) {
  Result<std::unique_ptr<ring::Ring>, ring::RingForbidden> made = ring::make_kernel_ring();
  REQUIRE(made);
  ring_ = std::move(made).value();
  resolver_ = std::make_unique<net::Resolver>(*ring_, net::ResolverOptions());
}

Live::~Live() {
  stop_following();
  disconnect();
  run(resolver_->close());
}

void Live::follow(const std::string& url, Duration refresh) {
  Result<store::Location> location = store::parse_location(url);
  REQUIRE(location);
  store::FollowerOptions options;
  options.refresh_interval = refresh;
  follower_ = store::make_follower(*location, *ring_, *resolver_, published_, options);
  tasks_.spawn(follower_->run());
}

void Live::stop_following() {
  if (follower_ == nullptr) return;
  follower_->stop();
  const bool ended = until([this] { return tasks_.running() == 0; });
  REQUIRE(ended);
  follower_.reset();
}

void Live::run(coro::Task<void> task) { ring_->run(std::move(task)); }

void Live::connect(const std::string& socket, const std::string& password) {
  disconnect();
  valkey::Endpoint endpoint;
  endpoint.path = socket;
  endpoint.password = password;
  const bool connected = until([&] {
    if (client_ == nullptr) run(open_client(endpoint));
    return client_ != nullptr;
  });
  REQUIRE(connected);
}

coro::Task<void> Live::open_client(valkey::Endpoint endpoint) {
  Result<std::unique_ptr<valkey::Connection>> opened =
      co_await valkey::Connection::open(*ring_, *resolver_, endpoint, scope_);
  if (opened) client_ = std::move(*opened);
}

void Live::disconnect() {
  if (client_) run(client_->close());
  client_.reset();
}

coro::Task<void> Live::exchange(valkey::Command command) {
  Result<valkey::Reply> reply = co_await client_->command(std::move(command));
  replied_ = std::chrono::steady_clock::now();
  REQUIRE(reply);
  reply_ = std::move(*reply);
}

valkey::Reply Live::ask(valkey::Command command) {
  run(exchange(std::move(command)));
  return std::move(*reply_);
}

Instant Live::ask_when(valkey::Command command) {
  run(exchange(std::move(command)));
  return replied_;
}

void Live::set(const std::string& name, const std::string& config) {
  ask({"SET", "fnkit:pipeline:" + name, config});
}

}  // namespace fnkit::test
