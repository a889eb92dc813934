// Something that happens once and that one coroutine waits for.
#pragma once

#include "fnkit/coro/ready_queue.hpp"

namespace fnkit::coro {

// One waiter at a time. set() before wait() lets the wait go through at once; reset() arms it anew.
// The waiter is resumed through the ready queue. One thread.
class Event {
 public:
  bool is_set() const { return set_; }

  void set() {
    if (set_) return;
    set_ = true;
    if (!node_.handle || node_.linked()) return;
    ReadyQueue::of_thread().post(node_);
  }

  // set() for whoever takes a plain function: hooks and timers.
  static void set_it(void* event) { static_cast<Event*>(event)->set(); }

  void reset() {
    REQUIRE(!node_.handle);
    set_ = false;
  }

  struct Awaiter {
    Event& event;
    bool await_ready() const noexcept { return event.set_; }
    void await_suspend(std::coroutine_handle<> handle) noexcept {
      REQUIRE(!event.node_.handle);
      event.node_.handle = handle;
    }
    void await_resume() noexcept { event.node_.handle = nullptr; }
  };
  Awaiter wait() { return Awaiter{*this}; }

 private:
  bool set_ = false;
  ReadyNode node_;
};

}  // namespace fnkit::coro
