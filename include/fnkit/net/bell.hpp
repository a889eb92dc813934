// Waiting until somebody rings or a time has come.
#pragma once

#include "fnkit/coro/event.hpp"
#include "fnkit/ring/ring.hpp"

namespace fnkit::net {

// One waiter at a time. A ring() before wait() lets the next wait through at once. `ring` must
// outlive it. One thread.
class Bell {
 public:
  explicit Bell(ring::Ring& ring) : ring_(ring), timer_(&ring_the, this) {}

  void ring() { event_.set(); }
  // For timers, hooks and arrivals: `bell` is a Bell.
  static void ring_the(void* bell) { static_cast<Bell*>(bell)->ring(); }

  coro::Task<void> wait(Instant until) {
    ring_.timers().arm(timer_, until);
    co_await event_.wait();
    timer_.unlink();
    event_.reset();
  }

 private:
  ring::Ring& ring_;
  coro::Event event_;
  ring::Timer timer_;
};

}  // namespace fnkit::net
