#include "unit/http/function_world.hpp"

#include <gtest/gtest.h>

#include "fnkit/coro/frame_pool.hpp"

namespace fnkit::test {
namespace {

const net::Address kFunction = *net::Address::parse("10.0.0.1:8080");
const net::Address kNobody = *net::Address::parse("10.0.0.2:8080");

std::string_view kind_name(http::CallError::Kind kind) {
  switch (kind) {
    case http::CallError::Kind::unreachable: return "unreachable";
    case http::CallError::Kind::broken: return "broken";
    case http::CallError::Kind::protocol: return "protocol";
    case http::CallError::Kind::timeout: return "timeout";
    case http::CallError::Kind::no_connection: return "no connection";
    case http::CallError::Kind::not_read: return "not read";
    case http::CallError::Kind::too_many_waiting: return "too many waiting";
    case http::CallError::Kind::too_much_held: return "too much held";
    case http::CallError::Kind::cancelled: return "cancelled";
  }
  return "?";
}

}  // namespace

std::string ok(std::string_view body, std::string_view more_headers) {
  return "HTTP/1.1 200 OK\r\n" + std::string(more_headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

std::string text_of(const std::optional<http::CallResult>& outcome) {
  if (!outcome) return "pending";
  if (!*outcome) {
    return std::string(kind_name(outcome->error().kind)) + ": " + outcome->error().detail;
  }
  return std::to_string((*outcome)->status) + " " + std::string((*outcome)->body.bytes);
}

FunctionWorld::FunctionWorld(uint64_t seed, FaultPlan plan)
    : ring(seed, plan),
      resolver_(ring, net::ResolverOptions()),
      listener_(ring, ring.listen(kFunction)) {
  tasks_.spawn(accept());
}

FunctionWorld::~FunctionWorld() {
  for (auto& call : calls_) call->scope.cancel();
  tasks_.spawn(close_all());
  while (tasks_.running() > 0) ring.turn();
  peers_.clear();
  calls_.clear();
  pool_.reset();
  EXPECT_EQ(ring.open_sockets(), 0U) << "a socket is open";
  EXPECT_EQ(coro::frames_alive(), 0U) << "a coroutine has not ended";
  EXPECT_EQ(Buffer::bytes_held_by_thread(), 0U) << "memory of messages has not come back";
}

coro::Task<void> FunctionWorld::close_all() {
  for (auto& call : calls_) {
    while (!call->done()) {
      coro::Event a_moment_later;
      ring::Timer timer([](void* event) { static_cast<coro::Event*>(event)->set(); },
                        &a_moment_later);
      ring.timers().arm(timer, later(ring.now(), std::chrono::milliseconds(1)));
      co_await a_moment_later.wait();
    }
  }
  listener_.stop();
  if (pool_ != nullptr) co_await pool_->close();
  co_await resolver_.close();
  for (auto& peer : peers_) {
    if (peer != nullptr) co_await peer->close();
  }
}

coro::Task<void> FunctionWorld::accept() {
  while (true) {
    Result<int> connection = co_await listener_.accept();
    if (!connection) break;
    peers_.push_back(std::make_unique<Caller>(ring, *connection));
    peer_sockets_.push_back(*connection);
    if (!deaf_) peers_.back()->start_reading();
  }
  co_await listener_.close();
}

FunctionWorld::Call& FunctionWorld::start(std::string_view method, std::string_view name,
                                          Duration within, size_t body_bytes,
                                          const net::Address& address) {
  if (pool_ == nullptr)
    pool_ = std::make_unique<http::ClientPool>(ring, resolver_, random_, options);
  Call& call = *calls_.emplace_back(std::make_unique<Call>());
  call.body.assign(body_bytes, 'x');
  call.head = std::string(method) + " /" + std::string(name) + " HTTP/1.1\r\nhost: f\r\n" +
              "content-length: " + std::to_string(body_bytes) + "\r\n\r\n";
  call.request = {call.head, call.body, false, method == "GET", true};
  if (given_up_) call.scope.cancel();
  http::Endpoint endpoint;
  endpoint.address = address;
  tasks_.spawn(run(call, std::move(endpoint), later(ring.now(), within)));
  return call;
}

coro::Task<void> FunctionWorld::run(Call& call, http::Endpoint endpoint, Instant deadline) {
  http::CallResult outcome =
      co_await pool_->call(pool_->upstream(endpoint), call.request, deadline, call.scope);
  call.outcome.emplace(std::move(outcome));
  call.ended = ring.now();
  if (call.gives_up != nullptr) call.gives_up->scope.cancel();
}

FunctionWorld::Call& FunctionWorld::post(std::string_view name, Duration within,
                                         size_t body_bytes) {
  return start("POST", name, within, body_bytes, kFunction);
}

FunctionWorld::Call& FunctionWorld::post_given_up(std::string_view name) {
  given_up_ = true;
  Call& call = post(name);
  given_up_ = false;
  return call;
}

FunctionWorld::Call& FunctionWorld::get(std::string_view name, Duration within) {
  return start("GET", name, within, 0, kFunction);
}

FunctionWorld::Call& FunctionWorld::get_elsewhere() {
  return start("GET", "elsewhere", kPatient, 0, kNobody);
}

void FunctionWorld::close(size_t index) {
  coro::TaskGroup closing;
  closing.spawn(peer(index).close());
  while (closing.running() > 0) ring.turn();
  peers_[index] = nullptr;
}

void FunctionWorld::reset(size_t index) { ring.kill(peer_sockets_.at(index)); }

size_t FunctionWorld::asked(std::string_view name) const {
  const std::string line = " /" + std::string(name) + " HTTP/1.1\r\n";
  size_t count = 0;
  for (const auto& peer : peers_) {
    if (peer == nullptr) continue;
    const std::string& heard = peer->heard();
    for (size_t at = heard.find(line); at != std::string::npos; at = heard.find(line, at + 1)) {
      ++count;
    }
  }
  return count;
}

void FunctionWorld::run_for(Duration duration) {
  bool over = false;
  ring::Timer timer([](void* flag) { *static_cast<bool*>(flag) = true; }, &over);
  ring.timers().arm(timer, later(ring.now(), duration));
  while (!over) ring.turn();
}

}  // namespace fnkit::test
