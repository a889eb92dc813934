// Telling a loop on another thread, or from a signal handler, that there is something to look at.
#pragma once

#include <array>

#include "fnkit/coro/event.hpp"
#include "fnkit/ring/ring.hpp"

namespace fnkit::ring {

// An eventfd and the operation that reads it. Made before the threads start; notify() from any
// thread, everything else on the ring's thread. stop() and turns until stopped before it ends.
class Wakeup {
 public:
  using Action = void (*)(void* context);

  Wakeup();
  ~Wakeup();

  // Async-signal-safe. Several calls may be told as one.
  void notify();

  // From now on `action` is called on the ring's thread, inside a turn, after each notify().
  void listen(Ring& ring, Action action, void* context);

  // Ends listening. Idempotent; await it before the ring goes.
  coro::Task<void> stop();

 private:
  void submit();
  static void completed(Operation& operation);

  int fd_;
  Ring* ring_ = nullptr;
  Action action_ = nullptr;
  void* context_ = nullptr;
  bool stopping_ = false;
  coro::Event stopped_;
  std::array<char, 8> counter_{};
  Operation operation_;
};

}  // namespace fnkit::ring
