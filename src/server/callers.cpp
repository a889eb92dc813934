#include "server/callers.hpp"

#include "server/listeners.hpp"

namespace fnkit::server {

Callers::Callers(const Settings& settings, ring::Ring& ring, http::Handler& handler, Random& random,
                 observe::CoreSeries& series)
    : settings_(settings), ring_(ring), handler_(handler), random_(random), series_(series) {}

coro::Task<void> Callers::serve(std::vector<int> listeners) {
  for (const int fd : listeners) tasks_.spawn(accept_loop(fd));
  co_await tasks_.join();
  accept_timer_.unlink();
  grace_timer_.unlink();
  drain_timer_.unlink();
}

coro::Task<void> Callers::accept_loop(int fd) {
  net::Listener listener(ring_, fd, at_end(settings_));
  listeners_.push_back(&listener);
  if (draining_) listener.stop();
  while (true) {
    Result<int> connection = co_await listener.accept();
    if (!connection) break;
    if (connection_count_ >= settings_.connections_max) {
      series_.hit(observe::Limit::connections_max);
      ring_.close(*connection);
    } else {
      tasks_.spawn(serve_connection(*connection));
    }
  }
  co_await listener.close();
  std::erase(listeners_, &listener);
}

coro::Task<void> Callers::serve_connection(int fd) {
  http::ServerConnection connection(ring_, fd, handler_, settings_.callers, random_);
  connections_.push_back(connection);
  series_.connections.set(++connection_count_);
  if (draining_) connection.drain();
  co_await connection.serve();
  series_.connections.set(--connection_count_);
}

void Callers::drain() {
  if (std::exchange(draining_, true)) return;
  for (auto* each = connections_.front(); each != nullptr; each = connections_.next(*each)) {
    each->drain();
  }
  ring_.timers().arm(accept_timer_, later(ring_.now(), kAcceptGrace));
  ring_.timers().arm(grace_timer_, later(ring_.now(), kAcceptGrace + kIdleGrace));
  ring_.timers().arm(drain_timer_, later(ring_.now(), settings_.drain_timeout));
}

void Callers::stop_accepting(void* context) {
  for (net::Listener* listener : static_cast<Callers*>(context)->listeners_) listener->stop();
}

void Callers::grace_is_over(void* context) {
  auto& connections = static_cast<Callers*>(context)->connections_;
  for (auto* each = connections.front(); each != nullptr; each = connections.next(*each)) {
    each->end_when_idle();
  }
}

void Callers::drain_is_over(void* context) {
  auto& self = *static_cast<Callers*>(context);
  auto& connections = self.connections_;
  for (auto* each = connections.front(); each != nullptr; each = connections.next(*each)) {
    each->abandon();
  }
  // A second abandon() ends also those that do not read their 503.
  self.ring_.timers().arm(self.drain_timer_, later(self.ring_.now(), kAbandonedGrace));
}

}  // namespace fnkit::server
