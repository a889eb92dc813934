// The functions of the identity test: one a letter, each with a character and a port of its own.
// After SIGTERM it prints what it was asked, and what was wrong with that.
#include <signal.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "function_connection.hpp"

namespace {

using namespace identity;

class Door final : public Loop::Member {
 public:
  Door(Loop& loop, Function& function)
      : loop_(loop), function_(function), fd_(listen_on(function.port)) {
    function.port = port_of(fd_);
    loop_.watch(fd_, *this);
  }

  void ready(uint32_t) override {
    while (true) {
      const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      loop_.adopt(std::make_unique<FunctionConnection>(loop_, fd, function_));
    }
  }
  void time_is_over() override {}

 private:
  Loop& loop_;
  Function& function_;
  const int fd_;
};

struct Options {
  uint64_t seed = 1;
  uint32_t sequences = 1'000'000;
  size_t threads = 2;
  std::vector<std::pair<char, Character>> functions;

  bool parse(int count, char** words);
};

bool Options::parse(int count, char** words) {
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string_view name = words[i];
    const std::string_view value = words[i + 1];
    const auto figure = number(value);
    if (name == "--function" && value.size() >= 2 && value[1] == ':') {
      Character character;
      if (!character.parse(value.substr(2))) return false;
      functions.emplace_back(value[0], character);
    } else if (name == "--seed" && figure) {
      seed = *figure;
    } else if (name == "--sequences" && figure && *figure <= UINT32_MAX) {
      sequences = static_cast<uint32_t>(*figure);
    } else if (name == "--threads" && figure) {
      threads = *figure;
    } else {
      return false;
    }
  }
  return count % 2 == 1 && !functions.empty() && threads > 0;
}

}  // namespace

int main(int count, char** words) {
  Options options;
  if (!options.parse(count, words)) {
    std::fprintf(stderr,
                 "usage: %s [--seed N] [--sequences N] [--threads N] --function "
                 "LETTER:[WHAT=OF_10000,…]…\n",
                 words[0]);
    return 2;
  }
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  ocean();

  std::vector<std::unique_ptr<Function>> functions;
  for (const auto& [name, character] : options.functions) {
    functions.push_back(
        std::make_unique<Function>(name, character, options.seed, options.sequences));
  }
  std::vector<std::unique_ptr<Loop>> loops;
  std::vector<std::unique_ptr<Door>> doors;
  for (size_t i = 0; i < options.threads; ++i) {
    loops.push_back(std::make_unique<Loop>());
    for (auto& function : functions) {
      doors.push_back(std::make_unique<Door>(*loops.back(), *function));
    }
  }
  for (const auto& function : functions) std::printf("%c=%u ", function->name, function->port);
  std::printf("\n");
  std::fflush(stdout);

  std::vector<std::thread> threads;
  for (auto& loop : loops) threads.emplace_back(&Loop::run, loop.get());
  int signal = 0;
  sigwait(&ends, &signal);
  for (auto& loop : loops) loop->stop();
  for (auto& thread : threads) thread.join();
  for (const auto& function : functions) function->print();
  return 0;
}
