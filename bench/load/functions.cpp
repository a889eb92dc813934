// Functions for measuring: every request gets the same JSON, all requests that came together get
// one write.
//   functions [COUNT [BODY_BYTES [MICROSECONDS]]]
// COUNT of them on one core, 1 unless told; answers of BODY_BYTES, about 50 unless told, after so
// many microseconds, at once unless told. Prints their addresses.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "load/loop.hpp"
#include "soak/sockets.hpp"

namespace {

constexpr int64_t kMicrosecond = 1000;

// `bytes` of JSON, or as many as it needs at least.
std::string make_answer(size_t bytes) {
  std::string body = R"({"id":12345678901234567890,"name":"Alice","ok":true})";
  constexpr std::string_view kFiller = R"(,"filler":""})";
  if (bytes > body.size() + kFiller.size()) {
    const size_t filler = bytes - body.size() - kFiller.size() + 1;
    body.pop_back();
    body += kFiller.substr(0, kFiller.size() - 2);
    body.append(filler, 'x');
    body += kFiller.substr(kFiller.size() - 2);
  }
  return "HTTP/1.1 200 OK\r\n"
         "date: Mon, 07 Apr 2025 12:00:00 GMT\r\n"
         "content-type: application/json\r\n"
         "content-length: " +
         std::to_string(body.size()) +
         "\r\n"
         "x-request-id: 0123456789abcdef0123456789abcdef\r\n\r\n" +
         body;
}

class Functions final : bench::Loop::Handler {
 public:
  Functions(size_t body_bytes, int64_t delay)
      : answer_(make_answer(body_bytes)), delay_(delay), loop_(*this) {}

  void listen() {
    int port = 0;
    loop_.accept(soak::listen_on_loopback(port));
    std::printf("127.0.0.1:%d ", port);
  }

  [[noreturn]] void run() {
    while (true) {
      loop_.turn(waiting_.empty() ? -1 : waiting_.front().due);
      const int64_t now = waiting_.empty() ? 0 : soak::now();
      for (; !waiting_.empty() && waiting_.front().due <= now; waiting_.pop_front()) {
        answer(waiting_.front());
      }
      for (const int fd : answering_) send(fd, connections_[fd]);
      answering_.clear();
    }
  }

 private:
  struct Connection {
    uint64_t serial = 0;
    std::string input;
    std::string output;
    size_t answers = 0;  // due and not yet sent
    bool sending = false;
  };
  struct Waiting {
    int64_t due;
    int fd;
    uint64_t serial;
  };

  void accepted(int fd) override {
    connections_[fd].serial = ++serial_;
    loop_.receive(fd);
  }

  void received(int fd, std::string_view bytes) override {
    if (bytes.empty()) {
      connections_.erase(fd);
      ::close(fd);
      return;
    }
    Connection& connection = connections_[fd];
    if (!connection.input.empty()) bytes = connection.input.append(bytes);
    size_t taken = 0;
    for (size_t one; (one = soak::first_message(bytes.substr(taken)).bytes) > 0; taken += one) {
      const Waiting request{delay_ > 0 ? soak::now() + delay_ : 0, fd, connection.serial};
      if (delay_ > 0) {
        waiting_.push_back(request);
      } else {
        answer(request);
      }
    }
    connection.input = std::string(bytes.substr(taken));
  }

  void sent(int fd) override {
    const auto found = connections_.find(fd);
    if (found == connections_.end()) return;
    found->second.sending = false;
    if (found->second.answers > 0) answering_.push_back(fd);
  }

  void answer(const Waiting& request) {
    const auto found = connections_.find(request.fd);
    if (found == connections_.end() || found->second.serial != request.serial) return;
    if (found->second.answers++ == 0 && !found->second.sending) answering_.push_back(request.fd);
  }

  void send(int fd, Connection& connection) {
    if (connection.answers == 0) return;
    std::string_view bytes = answer_;
    if (connection.answers > 1) {
      connection.output.clear();
      for (size_t i = 0; i < connection.answers; ++i) connection.output += answer_;
      bytes = connection.output;
    }
    connection.answers = 0;
    connection.sending = bytes.size() > bench::Loop::kSilentMax;
    loop_.send(fd, bytes);
  }

  const std::string answer_;
  const int64_t delay_;
  std::unordered_map<int, Connection> connections_;
  std::vector<int> answering_;
  std::deque<Waiting> waiting_;  // in the order in which they are due
  uint64_t serial_ = 0;
  bench::Loop loop_;
};

}  // namespace

int main(int count, char** arguments) {
  const auto number = [&](int at, long otherwise) {
    return count > at ? std::atol(arguments[at]) : otherwise;
  };
  Functions functions(static_cast<size_t>(number(2, 0)), number(3, 0) * kMicrosecond);
  for (long left = number(1, 1); left > 0; --left) functions.listen();
  std::printf("\n");
  std::fflush(stdout);
  functions.run();
}
