// One core's callers: its listeners, their connections, and how both come to their end.
#pragma once

#include <vector>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/http/server_connection.hpp"
#include "fnkit/net/listener.hpp"
#include "fnkit/observe/series.hpp"
#include "fnkit/server/settings.hpp"

namespace fnkit::server {

// One thread. At its end, in this order: connections are taken for kAcceptGrace longer, as they may
// be under way when others take over the port; idle ones stay open for kIdleGrace, as a request may
// be; after the drain timeout what is still in progress is given up, with kAbandonedGrace to read
// its 503.
class Callers {
 public:
  static constexpr Duration kAcceptGrace = std::chrono::milliseconds(20);
  static constexpr Duration kIdleGrace = std::chrono::milliseconds(50);
  static constexpr Duration kAbandonedGrace = std::chrono::milliseconds(500);

  // All must outlive it.
  Callers(const Settings& settings, ring::Ring& ring, http::Handler& handler, Random& random,
          observe::CoreSeries& series);

  // Takes over `listeners`. Returns when drain() was called and the last connection has ended.
  coro::Task<void> serve(std::vector<int> listeners);
  // Also before serve(). Idempotent.
  void drain();
  bool draining() const { return draining_; }

 private:
  coro::Task<void> accept_loop(int fd);
  coro::Task<void> serve_connection(int fd);
  static void stop_accepting(void* callers);
  static void grace_is_over(void* callers);
  static void drain_is_over(void* callers);

  const Settings& settings_;
  ring::Ring& ring_;
  http::Handler& handler_;
  Random& random_;
  observe::CoreSeries& series_;
  std::vector<net::Listener*> listeners_;
  IntrusiveList<http::ServerConnection, http::ServerConnectionTag> connections_;
  size_t connection_count_ = 0;
  bool draining_ = false;
  ring::Timer accept_timer_{&stop_accepting, this};
  ring::Timer grace_timer_{&grace_is_over, this};
  ring::Timer drain_timer_{&drain_is_over, this};
  coro::TaskGroup tasks_;
};

}  // namespace fnkit::server
