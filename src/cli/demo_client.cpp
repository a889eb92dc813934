#include "cli/demo_client.hpp"

#include "fnkit/http/client_pool.hpp"
#include "fnkit/http/request_writer.hpp"
#include "fnkit/ring/ring.hpp"

namespace fnkit::cli {
namespace {

constexpr Duration kPatience = std::chrono::seconds(10);

struct Request {
  std::string_view method;
  std::string_view target;
  std::string_view body;
  int wanted = 0;  // ask again until this status; 0: any will do
};

// Waits on the ring.
struct Pause {
  explicit Pause(ring::Ring& ring, Duration after) : timer(&over, this) {
    ring.timers().arm(timer, later(ring.now(), after));
  }
  static void over(void* pause) { static_cast<Pause*>(pause)->event.set(); }
  coro::Event event;
  ring::Timer timer;
};

coro::Task<void> call(ring::Ring& ring, const net::Address& address, const Request& asked,
                      DemoAnswer& answer) {
  const http::ClientOptions options;
  net::Resolver resolver(ring, net::ResolverOptions());
  Random random(random_seed());
  http::ClientCounts counts;
  http::ClientPool pool(ring, resolver, random, options, counts);
  coro::CancelScope scope;
  const Instant deadline = later(ring.now(), kPatience);
  const http::Endpoint endpoint{{}, 0, address};
  while (ring.now() < deadline) {
    http::RequestWriter writer;
    writer.begin(asked.method, asked.target, {}, "localhost");
    writer.field("content-type", "application/x-www-form-urlencoded");
    http::OutgoingRequest request;
    request.head = writer.end(asked.method, asked.body.size());
    request.body = asked.body;
    http::CallResult response =
        co_await pool.call(pool.upstream(endpoint), request, deadline, scope);
    answer.status = response ? response->status : 0;
    answer.body = response ? std::string(response->body.bytes) : response.error().detail;
    if (asked.wanted == 0 || answer.status == asked.wanted) break;
    Pause pause(ring, std::chrono::milliseconds(20));
    co_await pause.event.wait();
  }
  co_await pool.close();
  co_await resolver.close();
}

DemoAnswer ask(const net::Address& address, const Request& request) {
  DemoAnswer answer;
  auto ring = ring::make_kernel_ring();
  if (!ring) {
    answer.body = ring.error().reason;
    return answer;
  }
  (*ring)->run(call(**ring, address, request, answer));
  return answer;
}

}  // namespace

DemoAnswer post(const net::Address& address, const std::string& target, std::string_view body) {
  return ask(address, {"POST", target, body});
}

bool wait_until_ready(const net::Address& address) {
  return ask(address, {"GET", "/readyz", {}, 200}).status == 200;
}

}  // namespace fnkit::cli
