// SIGTERM, SIGINT and SIGHUP as events of the control thread's loop.
#pragma once

#include <sys/signalfd.h>

#include "fnkit/coro/event.hpp"
#include "fnkit/ring/ring.hpp"

namespace fnkit::server {

// Blocks the signals for the calling thread and all that it starts later, and ignores SIGPIPE. Made
// before any thread.
class Signals {
 public:
  struct Handler {
    virtual ~Handler() = default;
    virtual void signalled(int signal) = 0;
  };

  Signals();
  ~Signals();

  // From now on `handler` hears of each signal, on the ring's thread.
  void listen(ring::Ring& ring, Handler& handler);
  // Ends listening; await it before the ring goes.
  coro::Task<void> stop();

 private:
  void submit();
  static void completed(ring::Operation& operation);

  int fd_;
  ring::Ring* ring_ = nullptr;
  Handler* handler_ = nullptr;
  bool stopping_ = false;
  coro::Event stopped_;
  signalfd_siginfo info_{};
  ring::Operation operation_;
};

}  // namespace fnkit::server
