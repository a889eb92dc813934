#include "fnkit/server/worker.hpp"

#include "fnkit/base/log.hpp"
#include "fnkit/http/client_pool.hpp"
#include "server/function_caller.hpp"
#include "server/router.hpp"

namespace fnkit::server {
namespace {

// Steps that are orchestrators themselves: a pipeline that calls itself must come to an end.
constexpr size_t kOrchestratorsMax = 4;
// A request may be on its way when the end begins: idle connections stay open this long.
constexpr Duration kIdleGrace = std::chrono::milliseconds(50);
// What was still in progress when the drain timeout was over gets this long to read its 503.
constexpr Duration kAbandonedGrace = std::chrono::milliseconds(500);

}  // namespace

// Everything that lives on the worker's thread.
class Worker::Core final : public http::Handler {
 public:
  Core(const Settings& settings, ring::Ring& ring, Shared& shared)
      : settings_(settings),
        ring_(ring),
        shared_(shared),
        random_(random_seed()),
        resolver_(ring, settings.dns),
        pool_(ring, resolver_, random_, settings.functions),
        functions_(settings, pool_),
        calling_{settings, ring, random_, pool_, functions_},
        grace_timer_(&grace_is_over, this),
        drain_timer_(&drain_is_over, this) {}

  coro::Task<void> serve(std::vector<int> listeners);

  std::optional<http::Response> refuse(const http::Request& head) override;
  coro::Task<http::Response> handle(http::Request& request) override;

 private:
  coro::Task<void> accept_loop(int fd);
  coro::Task<void> serve_connection(int fd);
  Route route_request(const http::Request& request) const;
  std::optional<http::Response> overload() const;
  void adopt();
  void drain();
  void tell_counts() const;
  static void woken(void* core);
  static void grace_is_over(void* core);
  static void drain_is_over(void* core);

  const Settings& settings_;
  ring::Ring& ring_;
  Shared& shared_;
  Random random_;
  net::Resolver resolver_;
  http::ClientPool pool_;
  FunctionDirectory functions_;
  FunctionCaller::Core calling_;
  // What requests run on; a request in progress keeps the version that it began with.
  LocalRef<std::shared_ptr<const store::Snapshot>> pipelines_;
  std::shared_ptr<const store::FollowerStatus> store_status_;
  std::shared_ptr<const Tokens> tokens_;
  std::vector<net::Listener*> listeners_;
  IntrusiveList<http::ServerConnection, http::ServerConnectionTag> connections_;
  size_t connection_count_ = 0;
  size_t requests_in_progress_ = 0;
  bool draining_ = false;
  ring::Timer grace_timer_;
  ring::Timer drain_timer_;
  coro::TaskGroup tasks_;
};

coro::Task<void> Worker::Core::serve(std::vector<int> listeners) {
  adopt();
  shared_.wakeup.listen(ring_, &woken, this);
  for (const int fd : listeners) tasks_.spawn(accept_loop(fd));
  co_await tasks_.join();
  grace_timer_.unlink();
  drain_timer_.unlink();
  co_await pool_.close();
  tell_counts();
  co_await resolver_.close();
  co_await shared_.wakeup.stop();
}

coro::Task<void> Worker::Core::accept_loop(int fd) {
  net::Listener listener(ring_, fd);
  listeners_.push_back(&listener);
  if (draining_) listener.stop();
  while (true) {
    Result<int> connection = co_await listener.accept();
    if (!connection) break;
    if (connection_count_ >= settings_.connections_max) {
      ring_.close(*connection);
    } else {
      tasks_.spawn(serve_connection(*connection));
    }
  }
  co_await listener.close();
  std::erase(listeners_, &listener);
}

coro::Task<void> Worker::Core::serve_connection(int fd) {
  http::ServerConnection connection(ring_, fd, *this, settings_.callers, random_);
  connections_.push_back(connection);
  ++connection_count_;
  if (draining_) connection.drain();
  co_await connection.serve();
  --connection_count_;
}

void Worker::Core::tell_counts() const {
  const http::CallCounts& counts = pool_.counts();
  log_event(LogLevel::info, "functions", "calls made by a core that ends",
            {{"answered", std::to_string(counts.answered)},
             {"failed", std::to_string(counts.failed)},
             {"cancelled", std::to_string(counts.cancelled)},
             {"repeated", std::to_string(counts.repeated)},
             {"shared", std::to_string(counts.shared)},
             {"connections", std::to_string(counts.connected)}});
}

Route Worker::Core::route_request(const http::Request& request) const {
  const store::Snapshot* pipelines = pipelines_ ? pipelines_->get() : nullptr;
  return route(request, *tokens_, pipelines,
               {pipelines != nullptr, draining_, store_status_.get(), ring_.now()});
}

// Why no further pipeline can be run now.
std::optional<http::Response> Worker::Core::overload() const {
  if (requests_in_progress_ >= settings_.requests_max) {
    return http::retry_later("Too many requests in progress");
  }
  if (Buffer::thread_holds_too_much()) {
    return http::retry_later("Too many bytes held for requests in progress");
  }
  return std::nullopt;
}

std::optional<http::Response> Worker::Core::refuse(const http::Request& head) {
  Route route = route_request(head);
  if (route.answer) return std::move(route.answer);
  return overload();
}

coro::Task<http::Response> Worker::Core::handle(http::Request& request) {
  // The plan lives in this snapshot, whatever is adopted meanwhile.
  const LocalRef<std::shared_ptr<const store::Snapshot>> pipelines = pipelines_;
  Route route = route_request(request);
  if (route.answer) co_return std::move(*route.answer);
  if (auto refused = overload()) co_return std::move(*refused);
  if (FunctionCaller::orchestrators_before(request) >= kOrchestratorsMax) {
    co_return http::error_response(508, "Too many orchestrators call each other");
  }
  ++requests_in_progress_;
  FunctionCaller functions(calling_, request, route);
  const pipeline::Context context{functions, *request.caller_gone,
                                  later(ring_.now(), settings_.pipeline_timeout),
                                  settings_.merged_bytes_max};
  http::Response response = co_await pipeline::run(*route.plan, request, context);
  --requests_in_progress_;
  co_return response;
}

void Worker::Core::woken(void* context) {
  auto& self = *static_cast<Core*>(context);
  self.adopt();
  if (self.shared_.draining.load(std::memory_order_acquire)) self.drain();
}

void Worker::Core::adopt() {
  if (auto pipelines = shared_.pipelines.take()) {
    pipelines_ = LocalRef<std::shared_ptr<const store::Snapshot>>(std::move(pipelines));
  }
  if (auto status = shared_.store_status.take()) store_status_ = std::move(status);
  if (auto tokens = shared_.tokens.take()) tokens_ = std::move(tokens);
}

void Worker::Core::drain() {
  if (std::exchange(draining_, true)) return;
  for (net::Listener* listener : listeners_) listener->stop();
  for (auto* each = connections_.front(); each != nullptr; each = connections_.next(*each)) {
    each->drain();
  }
  ring_.timers().arm(grace_timer_, later(ring_.now(), kIdleGrace));
  ring_.timers().arm(drain_timer_, later(ring_.now(), settings_.drain_timeout));
}

void Worker::Core::grace_is_over(void* context) {
  auto& self = *static_cast<Core*>(context);
  for (auto* each = self.connections_.front(); each != nullptr;
       each = self.connections_.next(*each)) {
    each->end_when_idle();
  }
}

void Worker::Core::drain_is_over(void* context) {
  auto& self = *static_cast<Core*>(context);
  for (auto* each = self.connections_.front(); each != nullptr;
       each = self.connections_.next(*each)) {
    each->abandon();
  }
  // A second abandon() ends also those that do not read their 503.
  self.ring_.timers().arm(self.drain_timer_, later(self.ring_.now(), kAbandonedGrace));
}

Worker::Worker(const Settings& settings, std::vector<int> listeners)
    : settings_(settings), listeners_(std::move(listeners)) {}

Worker::~Worker() = default;

void Worker::run(ring::Ring& ring) {
  Buffer::limit_thread(settings_.held_bytes_max);
  Core core(settings_, ring, shared_);
  ring.run(core.serve(std::move(listeners_)));
}

void Worker::publish(std::shared_ptr<const store::Snapshot> pipelines) {
  shared_.pipelines.put(std::move(pipelines));
  shared_.wakeup.notify();
}

void Worker::publish(std::shared_ptr<const store::FollowerStatus> status) {
  shared_.store_status.put(std::move(status));
  shared_.wakeup.notify();
}

void Worker::publish(std::shared_ptr<const Tokens> tokens) {
  shared_.tokens.put(std::move(tokens));
  shared_.wakeup.notify();
}

void Worker::drain() {
  shared_.draining.store(true, std::memory_order_release);
  shared_.wakeup.notify();
}

}  // namespace fnkit::server
