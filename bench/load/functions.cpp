// Functions for measuring: answer every request at once with the same small JSON; all requests that
// one read brought, with one write. functions [N]: N of them on one core; prints their addresses.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/http/message_parser.hpp"
#include "fnkit/net/listener.hpp"
#include "fnkit/net/stream.hpp"

namespace {

using namespace fnkit;

std::string make_answer() {
  const std::string body = R"({"id":12345678901234567890,"name":"Alice","ok":true})";
  return "HTTP/1.1 200 OK\r\n"
         "date: Mon, 07 Apr 2025 12:00:00 GMT\r\n"
         "content-type: application/json\r\n"
         "content-length: " +
         std::to_string(body.size()) +
         "\r\n"
         "x-request-id: 0123456789abcdef0123456789abcdef\r\n\r\n" +
         body;
}

struct Functions {
  explicit Functions(ring::Ring& on) : ring(on) {}

  coro::Task<void> serve(std::vector<int> fds) {
    for (int fd : fds) tasks.spawn(accept_all(fd));
    co_await tasks.join();
  }

  coro::Task<void> accept_all(int fd) {
    net::Listener listener(ring, fd);
    while (true) {
      Result<int> connection = co_await listener.accept();
      if (!connection) break;
      tasks.spawn(serve_connection(*connection));
    }
    co_await listener.close();
  }

  coro::Task<void> serve_connection(int fd) {
    net::Stream stream(ring, fd);
    http::RequestParser parser(limits);
    std::string answers;
    while (true) {
      Result<size_t> received = co_await stream.receive(kNever);
      if (!received || *received == 0) break;
      answers.clear();
      if (!answer_all(parser, stream.input(), answers)) break;
      if (answers.empty()) continue;
      const std::string_view parts[] = {answers};
      stream.start_send(parts, ring::SendMode::silent, std::chrono::seconds(30));
      Result<void> sent = co_await stream.sent();
      if (!sent) break;
    }
    co_await stream.close();
  }

  // False where the bytes are no HTTP.
  bool answer_all(http::RequestParser& parser, Buffer& input, std::string& answers) const {
    while (true) {
      const Result<http::Arrived, http::ProtocolError> arrived = parser.advance(input);
      if (!arrived) return false;
      if (*arrived != http::Arrived::all) return true;
      parser.take(input);
      answers += answer;
    }
  }

  ring::Ring& ring;
  http::MessageLimits limits;
  const std::string answer = make_answer();
  coro::TaskGroup tasks;
};

}  // namespace

int main(int count, char** arguments) {
  auto ring = ring::make_kernel_ring();
  if (!ring) return 1;
  const auto any = net::Address::parse("127.0.0.1:0");
  std::vector<int> fds;
  for (int left = count > 1 ? std::atoi(arguments[1]) : 1; left > 0; --left) {
    const auto fd = net::open_listener(*any, net::ListenAs::sole);
    if (!fd) return 1;
    std::printf("%s%s", fds.empty() ? "" : " ", net::Address::of_socket(*fd)->to_text().c_str());
    fds.push_back(*fd);
  }
  std::printf("\n");
  std::fflush(stdout);
  Functions functions(**ring);
  (*ring)->run(functions.serve(std::move(fds)));
  return 0;
}
