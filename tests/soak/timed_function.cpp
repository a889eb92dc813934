// A function that takes the times it is told to: timed_function US... takes them in turn, a request
// each, in the order in which requests begin. Connections are served independently of each other;
// on one, requests are answered in order and a request begins when the one before it is answered.
// Prints its address. Answers {"service_ns":N,"echo":<the request's body>,"target":"<its target>"}.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "soak/sockets.hpp"

namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

struct Connection {
  std::string input, output;
  int64_t begun = 0;     // the request at the front of input
  int64_t due = kNever;  // when it is to be answered; kNever: none has begun
};

class TimedFunction {
 public:
  TimedFunction(int listener, std::vector<int64_t> times)
      : listener_(listener), times_(std::move(times)) {
    poller_.add(listener_);
  }

  void run() {
    while (true) {
      for (const epoll_event& event : poller_.wait(due_.empty() ? kNever : due_.begin()->first)) {
        if (event.data.fd == listener_) {
          accept_all();
        } else {
          receive_from(event.data.fd);
        }
      }
      while (!due_.empty() && due_.begin()->first <= soak::now()) finish(due_.begin()->second);
    }
  }

 private:
  void accept_all() {
    for (int fd = soak::accept_from(listener_); fd >= 0; fd = soak::accept_from(listener_)) {
      connections_[fd] = {};
      poller_.add(fd);
    }
  }

  void receive_from(int fd) {
    Connection& connection = connections_[fd];
    if (!soak::receive(fd, connection.input)) {
      close(fd, connection);
      return;
    }
    if (connection.due == kNever) begin_next(fd, connection);
  }

  // Begins the next request; those that take no time are answered at once, with one send.
  void begin_next(int fd, Connection& connection) {
    while (soak::first_message(connection.input).bytes > 0) {
      connection.begun = soak::now();
      const int64_t time = times_[turn_++ % times_.size()];
      if (time > 0) {
        connection.due = connection.begun + time;
        due_.insert({connection.due, fd});
        break;
      }
      append_answer(connection);
    }
    const std::string output = std::exchange(connection.output, {});
    if (!output.empty() && !soak::send_all(fd, output)) close(fd, connection);
  }

  void finish(int fd) {
    Connection& connection = connections_[fd];
    due_.erase({std::exchange(connection.due, kNever), fd});
    append_answer(connection);
    begin_next(fd, connection);
  }

  static void append_answer(Connection& connection) {
    const soak::Message request = soak::first_message(connection.input);
    const std::string body =
        "{\"service_ns\":" + std::to_string(soak::now() - connection.begun) +
        ",\"echo\":" + std::string(request.body.empty() ? "null" : request.body) +
        ",\"target\":\"" + std::string(soak::target_of(request.head)) + "\"}";
    connection.output += "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                         std::to_string(body.size()) + "\r\n\r\n" + body;
    connection.input.erase(0, request.bytes);
  }

  void close(int fd, Connection& connection) {
    if (connection.due != kNever) due_.erase({connection.due, fd});
    connections_.erase(fd);
    ::close(fd);
  }

  const int listener_;
  const std::vector<int64_t> times_;  // nanoseconds
  size_t turn_ = 0;
  soak::Poller poller_;
  std::map<int, Connection> connections_;
  std::set<std::pair<int64_t, int>> due_;
};

}  // namespace

int main(int count, char** arguments) {
  std::vector<int64_t> times;
  for (int i = 1; i < count; ++i) times.push_back(std::atoll(arguments[i]) * 1000);
  if (times.empty()) soak::die("usage: timed_function MICROSECONDS...");
  int port = 0;
  const int listener = soak::listen_on_loopback(port);
  std::printf("127.0.0.1:%d\n", port);
  std::fflush(stdout);
  TimedFunction(listener, std::move(times)).run();
}
