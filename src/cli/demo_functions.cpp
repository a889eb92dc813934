#include "cli/demo_functions.hpp"

#include <thread>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/http/server_connection.hpp"
#include "fnkit/json/validate.hpp"
#include "fnkit/json/value.hpp"
#include "fnkit/net/listener.hpp"
#include "fnkit/ring/wakeup.hpp"

namespace fnkit::cli {
namespace {

// `object` with one more member; 400 where it is no object, as a real function would answer.
http::Response with_member(std::string_view object, std::string_view member) {
  Result<json::Value> value = json::parse(object, json::kDepthMax);
  if (!value || value->kind() != json::Kind::object) {
    return http::error_response(400, "The body is no JSON object");
  }
  std::string text(object.substr(0, object.rfind('}')));
  if (!value->members().empty()) text += ',';
  text += member;
  text += '}';
  return http::json_response(200, text);
}

// Which function is meant stands in Host, as the orchestrator calls http://<function>:8080.
http::Response call(std::string_view function, std::string_view body) {
  if (function == "validate-order") return with_member(body, R"("valid":true)");
  if (function == "charge-payment") return with_member(body, R"("payment":"charged")");
  if (function == "send-email") return with_member(body, R"("email":"sent")");
  if (function == "get-profile") {
    return http::json_response(200, R"({"name":"Alice","email":"alice@example.com"})");
  }
  if (function == "get-preferences") {
    return http::json_response(200, R"({"theme":"dark","lang":"en"})");
  }
  if (function == "get-history") {
    return http::json_response(200, R"([{"action":"login","ts":"2025-01-01"}])");
  }
  return http::error_response(404, "No such function");
}

}  // namespace

struct DemoFunctions::State final : http::Handler {
  http::Admission admit(const http::Request&) override { return {}; }
  coro::Task<http::Response> handle(http::Request& request) override {
    const std::string_view host = request.header("host").value_or(std::string_view());
    co_return call(host.substr(0, host.find(':')), request.body);
  }

  void run();
  coro::Task<void> serve(ring::Ring& ring);
  coro::Task<void> serve_connection(ring::Ring& ring, int fd);
  static void stop(void* state);

  int fd = -1;
  net::Address address;
  ring::Wakeup wakeup;
  net::Listener* listener = nullptr;
  http::ServerOptions options;
  Random random{random_seed()};
  IntrusiveList<http::ServerConnection, http::ServerConnectionTag> connections;
  coro::TaskGroup tasks;
  std::thread thread;
};

void DemoFunctions::State::run() {
  auto ring = ring::make_kernel_ring();
  if (!ring) return;  // `serve` says so
  (*ring)->run(serve(**ring));
}

coro::Task<void> DemoFunctions::State::serve(ring::Ring& ring) {
  net::Listener accepting(ring, fd);
  listener = &accepting;
  wakeup.listen(ring, &stop, this);
  while (true) {
    Result<int> connection = co_await accepting.accept();
    if (!connection) break;
    tasks.spawn(serve_connection(ring, *connection));
  }
  co_await accepting.close();
  for (auto* each = connections.front(); each != nullptr; each = connections.next(*each)) {
    each->abandon();
  }
  co_await tasks.join();
  co_await wakeup.stop();
}

coro::Task<void> DemoFunctions::State::serve_connection(ring::Ring& ring, int connection_fd) {
  http::ServerConnection connection(ring, connection_fd, *this, options, random);
  connections.push_back(connection);
  co_await connection.serve();
}

void DemoFunctions::State::stop(void* context) { static_cast<State*>(context)->listener->stop(); }

Result<std::unique_ptr<DemoFunctions>> DemoFunctions::start() {
  auto state = std::make_unique<State>();
  Result<net::Address> any = net::Address::parse("127.0.0.1:0");
  Result<int> fd = net::open_listener(*any, net::ListenAs::sole);
  if (!fd) return fd.error();
  Result<net::Address> bound = net::Address::of_socket(*fd);
  if (!bound) return bound.error();
  state->fd = *fd;
  state->address = *bound;
  state->thread = std::thread(&State::run, state.get());
  return std::unique_ptr<DemoFunctions>(new DemoFunctions(std::move(state)));
}

DemoFunctions::DemoFunctions(std::unique_ptr<State> state) : state_(std::move(state)) {}

DemoFunctions::~DemoFunctions() {
  state_->wakeup.notify();
  state_->thread.join();
}

const net::Address& DemoFunctions::address() const { return state_->address; }

const std::vector<std::string>& DemoFunctions::names() {
  static const std::vector<std::string> names = {"validate-order",  "charge-payment",
                                                 "send-email",      "get-profile",
                                                 "get-preferences", "get-history"};
  return names;
}

}  // namespace fnkit::cli
