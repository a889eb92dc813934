#include "unit/http/function_world.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "fnkit/coro/frame_pool.hpp"

namespace fnkit::test {
namespace {

constexpr std::string_view kFunction = "10.0.0.1:8080";
constexpr std::string_view kNobody = "10.0.0.2:8080";

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
    : ring(seed, plan), resolver_(ring, net::ResolverOptions()) {
  listen_at(kFunction);
}

FunctionWorld::~FunctionWorld() {
  for (auto& call : calls_) call->scope.cancel();
  tasks_.spawn(close_all());
  while (tasks_.running() > 0) ring.turn();
  peers_.clear();
  calls_.clear();
  pool_.reset();
  counts_.each([](const http::EndpointCounts& counts) {
    EXPECT_EQ(counts.open.get(), 0U) << counts.name;
    EXPECT_EQ(counts.busy.get(), 0U) << counts.name;
    EXPECT_EQ(counts.connecting.get(), 0U) << counts.name;
  });
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
  for (Place& place : places_) {
    if (place.listener != nullptr) place.listener->stop();
  }
  if (pool_ != nullptr) co_await pool_->close();
  co_await resolver_.close();
  for (auto& peer : peers_) {
    if (peer != nullptr) co_await peer->close();
  }
}

void FunctionWorld::listen_at(std::string_view address) {
  places_.push_back({std::string(address), nullptr});
  Place& place = places_.back();
  place.listener =
      std::make_unique<net::Listener>(ring, ring.listen(*net::Address::parse(address)));
  tasks_.spawn(accept(&place));
}

void FunctionWorld::refuse_at(std::string_view address) {
  for (Place& place : places_) {
    if (place.address != address || place.listener == nullptr) continue;
    place.listener->stop();
    while (place.listener != nullptr) turn();
  }
}

coro::Task<void> FunctionWorld::accept(Place* place) {
  while (true) {
    Result<int> connection = co_await place->listener->accept();
    if (!connection) break;
    peers_.push_back(std::make_unique<Caller>(ring, *connection));
    peer_sockets_.push_back(*connection);
    peers_at_.push_back(place->address);
    services_.emplace_back();
    heard_before_.push_back(0);
    if (!deaf_) peers_.back()->start_reading();
  }
  co_await place->listener->close();
  place->listener.reset();
}

http::ClientPool& FunctionWorld::pool() {
  if (pool_ == nullptr) {
    pool_ = std::make_unique<http::ClientPool>(ring, resolver_, random_, options, counts_);
  }
  return *pool_;
}

FunctionWorld::Call& FunctionWorld::call(std::string_view name, const How& how) {
  Call& call = *calls_.emplace_back(std::make_unique<Call>());
  call.body.assign(how.body_bytes, 'x');
  call.head = std::string(how.method) + " /" + std::string(name) + " HTTP/1.1\r\nhost: f\r\n" +
              "content-length: " + std::to_string(how.body_bytes) + "\r\n\r\n";
  call.request = {call.head,     call.body,    how.method == "HEAD", how.method != "POST",
                  how.may_share, how.continues};
  if (given_up_) call.scope.cancel();
  http::Endpoint endpoint;
  endpoint.host = how.host;
  endpoint.port = 8080;
  const std::string_view address = how.address.empty() ? kFunction : how.address;
  if (how.host.empty()) endpoint.address = *net::Address::parse(address);
  pool();
  tasks_.spawn(run(call, std::move(endpoint), later(ring.now(), how.within)));
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
  return call(name, {"POST", within, body_bytes});
}

FunctionWorld::Call& FunctionWorld::post_given_up(std::string_view name) {
  given_up_ = true;
  Call& call = post(name);
  given_up_ = false;
  return call;
}

FunctionWorld::Call& FunctionWorld::get(std::string_view name, Duration within) {
  return call(name, {"GET", within});
}

FunctionWorld::Call& FunctionWorld::get_elsewhere() {
  return call("elsewhere", {.method = "GET", .address = kNobody});
}

void FunctionWorld::close(size_t index) {
  coro::TaskGroup closing;
  closing.spawn(peer(index).close());
  while (closing.running() > 0) ring.turn();
  heard_by_closed_ += peer(index).heard();
  peers_[index] = nullptr;
}

void FunctionWorld::reset(size_t index) { ring.kill(peer_sockets_.at(index)); }

size_t FunctionWorld::asked(std::string_view name) const {
  const std::string line = " /" + std::string(name) + " HTTP/1.1\r\n";
  const auto count_in = [&](const std::string& heard) {
    size_t count = 0;
    for (size_t at = heard.find(line); at != std::string::npos; at = heard.find(line, at + 1)) {
      ++count;
    }
    return count;
  };
  size_t count = count_in(heard_by_closed_);
  for (const auto& peer : peers_) count += peer != nullptr ? count_in(peer->heard()) : 0;
  return count;
}

size_t FunctionWorld::asked_on(std::string_view name) const {
  const std::string line = " /" + std::string(name) + " HTTP/1.1\r\n";
  for (size_t i = peers_.size(); i > 0; --i) {
    if (peers_[i - 1] == nullptr) continue;
    if (peers_[i - 1]->heard().find(line) != std::string::npos) return i - 1;
  }
  return peers_.size();
}

void FunctionWorld::run_for(Duration duration) {
  bool over = false;
  ring::Timer timer([](void* flag) { *static_cast<bool*>(flag) = true; }, &over);
  ring.timers().arm(timer, later(ring.now(), duration));
  while (!over) turn();
}

// ---- a function that answers by itself

void FunctionWorld::turn() {
  ring.turn();
  bool heard = false;
  for (size_t i = 0; i < peers_.size(); ++i) {
    if (peers_[i] == nullptr) continue;
    const size_t bytes = peers_[i]->heard().size();
    heard = heard || bytes > heard_before_[i];
    heard_before_[i] = bytes;
    if (reply_) serve(i);
  }
  hearings_ += heard;
  while (!due_.empty() && due_.begin()->first <= ring.now()) {
    auto& [index, text] = due_.begin()->second;
    if (peers_[index] != nullptr) peers_[index]->say(std::move(text));
    due_.erase(due_.begin());
  }
  if (due_.empty()) return;
  ring.timers().arm(due_timer_, due_.begin()->first);
}

void FunctionWorld::serve(size_t index) {
  Service& service = services_[index];
  const std::string& heard = peers_[index]->heard();
  constexpr std::string_view kLength = "content-length: ";
  while (true) {
    const size_t end = heard.find("\r\n\r\n", service.read);
    if (end == std::string::npos) return;
    const std::string_view head = std::string_view(heard).substr(service.read, end - service.read);
    const size_t length = std::stoul(std::string(head.substr(head.find(kLength) + kLength.size())));
    const size_t bytes = head.size() + 4 + length;
    if (heard.size() - service.read < bytes) return;
    const size_t space = head.find(' ');
    const std::string_view name = head.substr(space + 2, head.find(' ', space + 1) - space - 2);
    service.busy_until = std::max(service.busy_until, ring.now()) + takes_;
    std::string reply = reply_(head.substr(0, space), name);
    service.stuck = service.stuck || reply.empty();
    if (!service.stuck) due_.emplace(service.busy_until, std::pair(index, std::move(reply)));
    service.read += bytes;
  }
}

void FunctionWorld::answer_by_itself(Duration takes, Reply reply) {
  for (size_t i = 0; i < peers_.size(); ++i) {
    if (!reply_ && peers_[i] != nullptr) services_[i].read = peers_[i]->heard().size();
  }
  takes_ = takes;
  reply_ = std::move(reply);
}

std::string FunctionWorld::echo(std::string_view method, std::string_view name) {
  const std::string answer = ok(name);
  return method == "HEAD" ? answer.substr(0, answer.size() - name.size()) : answer;
}

void FunctionWorld::earn_trust() {
  const FaultPlan faults = ring.faults();
  ring.faults() = FaultPlan::quick();
  ring.faults().latency_max = Duration::zero();
  answer_by_itself();
  for (unsigned i = 0; i < options.pipelining_trust; ++i) {
    const Call& good = post("good");
    ASSERT_TRUE(run_until_done(good));
    ASSERT_EQ(good.text(), "200 good");
    calls_.pop_back();
  }
  answer_no_more();
  ring.faults() = faults;
}

}  // namespace fnkit::test
