// Owns root tasks: starts them, counts them, and waits until the last one has ended.
#pragma once

#include <cstddef>

#include "fnkit/coro/event.hpp"
#include "fnkit/coro/task.hpp"

namespace fnkit::coro {

// Must be empty when destroyed: join() first. One thread.
class TaskGroup {
 public:
  TaskGroup() = default;
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup() { REQUIRE(running_ == 0); }

  // Runs `task` at once, until it first waits.
  void spawn(Task<void> task);

  size_t running() const { return running_; }

  // Resumes its caller when no task runs any more (at once when none does). One caller at a time.
  Task<void> join();

 private:
  struct Root;
  Root run(Task<void> task);
  void ended();

  size_t running_ = 0;
  Event empty_;
};

}  // namespace fnkit::coro
