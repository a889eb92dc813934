#include "fnkit/coro/task_group.hpp"

namespace fnkit::coro {

// A frame that nobody awaits: it frees itself when its task has ended.
struct TaskGroup::Root {
  struct promise_type : PooledFrame {
    Root get_return_object() noexcept { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    void unhandled_exception() noexcept { std::terminate(); }
  };
};

void TaskGroup::spawn(Task<void> task) {
  ++running_;
  run(std::move(task));
}

TaskGroup::Root TaskGroup::run(Task<void> task) {
  {
    Task<void> running = std::move(task);
    co_await running;
  }  // its frame is gone before anybody hears that it ended
  ended();
}

void TaskGroup::ended() {
  INVARIANT(running_ > 0);
  if (--running_ == 0) empty_.set();
}

Task<void> TaskGroup::join() {
  while (running_ > 0) {
    empty_.reset();
    co_await empty_.wait();
  }
}

}  // namespace fnkit::coro
