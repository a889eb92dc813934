// Functions for measuring: answer every request at once with the same small JSON. One core, the
// address is printed. Built from the program's own HTTP server, so that they cost little.
#include <cstdio>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/http/server_connection.hpp"
#include "fnkit/net/listener.hpp"

namespace {

using namespace fnkit;

struct Functions final : http::Handler {
  std::optional<http::Response> refuse(const http::Request&) override { return std::nullopt; }
  coro::Task<http::Response> handle(http::Request&) override {
    co_return http::json_response(200, R"({"id":12345678901234567890,"name":"Alice","ok":true})");
  }

  coro::Task<void> serve_connection(ring::Ring& ring, int fd) {
    http::ServerConnection connection(ring, fd, *this, options, random);
    co_await connection.serve();
  }

  coro::Task<void> serve(ring::Ring& ring, int fd) {
    net::Listener listener(ring, fd);
    while (true) {
      Result<int> connection = co_await listener.accept();
      if (!connection) break;
      tasks.spawn(serve_connection(ring, *connection));
    }
    co_await listener.close();
  }

  http::ServerOptions options;
  Random random{1};
  coro::TaskGroup tasks;
};

}  // namespace

int main() {
  auto ring = ring::make_kernel_ring();
  const auto any = net::Address::parse("127.0.0.1:0");
  const auto fd = net::open_listener(*any, net::ListenAs::sole);
  if (!ring || !fd) return 1;
  std::printf("%s\n", net::Address::of_socket(*fd)->to_text().c_str());
  std::fflush(stdout);
  Functions functions;
  (*ring)->run(functions.serve(**ring, *fd));
  return 0;
}
