// What the kernel alone costs: takes a request, sends it to one function after the other, each time
// waits for the answer, and gives the caller the last one. It reads nothing of what it carries, but
// knows how long messages are, and has for each caller a connection to each function.
//   floor REQUEST_BYTES ANSWER_BYTES FUNCTION...
// Prints its address. Messages longer than a piece are taken whole into memory of their own.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "load/loop.hpp"
#include "soak/sockets.hpp"

namespace {

struct Caller {
  int fd = -1;
  std::vector<int> functions;
  size_t step = 0;
  bool calling = false;
  std::string request;  // whole from its first step on
  std::string answer;   // of a step, as far as it has come
};

class Floor final : bench::Loop::Handler {
 public:
  Floor(size_t request_bytes, size_t answer_bytes, std::vector<std::string> functions)
      : request_bytes_(request_bytes),
        answer_bytes_(answer_bytes),
        functions_(std::move(functions)),
        loop_(*this) {}

  [[noreturn]] void run(int listener) {
    loop_.accept(listener);
    while (true) loop_.turn(-1);
  }

 private:
  static bool is_long(size_t bytes) { return bytes > bench::Loop::kPieceBytes; }

  void accepted(int fd) override {
    if (spare_.empty()) spare_.push_back(connect());
    Caller& caller = *spare_.back();
    spare_.pop_back();
    caller.calling = false;
    caller.fd = fd;
    by_fd_[fd] = &caller;
    if (is_long(request_bytes_)) {
      loop_.receive_whole(fd, caller.request);
    } else {
      loop_.receive(fd);
    }
  }

  Caller* connect() {
    Caller& caller = *callers_.emplace_back(std::make_unique<Caller>());
    if (is_long(request_bytes_)) caller.request.resize(request_bytes_);
    if (is_long(answer_bytes_)) caller.answer.resize(answer_bytes_);
    for (const std::string& function : functions_) {
      const int fd = caller.functions.emplace_back(soak::connect_to(function));
      by_fd_[fd] = &caller;
      if (!is_long(answer_bytes_)) loop_.receive(fd);
    }
    return &caller;
  }

  void received(int fd, std::string_view bytes) override {
    Caller& caller = *by_fd_[fd];
    if (bytes.empty()) {
      end(caller);
    } else if (fd == caller.fd) {
      received_request(caller, bytes);
    } else {
      received_answer(caller, bytes);
    }
  }

  void sent(int /*fd*/) override {}

  void received_request(Caller& caller, std::string_view bytes) {
    if (!is_long(request_bytes_)) {
      if (caller.request.size() == request_bytes_) caller.request.clear();
      if (caller.request.append(bytes).size() < request_bytes_) return;
    }
    caller.step = 0;
    caller.calling = true;
    call(caller);
  }

  void call(Caller& caller) {
    const int function = caller.functions[caller.step];
    loop_.send(function, caller.request);
    if (is_long(answer_bytes_)) loop_.receive_whole(function, caller.answer);
  }

  void received_answer(Caller& caller, std::string_view bytes) {
    if (bytes.size() < answer_bytes_) {
      if (caller.answer.size() == answer_bytes_) caller.answer.clear();
      if (caller.answer.append(bytes).size() < answer_bytes_) return;
      bytes = caller.answer;
    }
    if (caller.fd < 0) {
      spare_.push_back(&caller);
    } else if (++caller.step < caller.functions.size()) {
      call(caller);
    } else {
      caller.calling = false;
      loop_.send(caller.fd, bytes);
      if (is_long(request_bytes_)) loop_.receive_whole(caller.fd, caller.request);
    }
  }

  // Its connections to functions wait for the next caller, once nothing is on its way there.
  void end(Caller& caller) {
    if (caller.fd < 0) soak::die("a function has ended a connection");
    ::close(caller.fd);
    caller.fd = -1;
    if (!caller.calling) spare_.push_back(&caller);
  }

  const size_t request_bytes_, answer_bytes_;
  const std::vector<std::string> functions_;
  std::vector<std::unique_ptr<Caller>> callers_;
  std::vector<Caller*> spare_;  // whose callers have gone
  std::unordered_map<int, Caller*> by_fd_;
  bench::Loop loop_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) soak::die("usage: floor REQUEST_BYTES ANSWER_BYTES FUNCTION...");
  Floor floor(std::strtoul(arguments[1], nullptr, 10), std::strtoul(arguments[2], nullptr, 10),
              {arguments + 3, arguments + count});
  int port = 0;
  const int listener = soak::listen_on_loopback(port);
  std::printf("127.0.0.1:%d\n", port);
  std::fflush(stdout);
  floor.run(listener);
}
