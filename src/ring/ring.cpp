#include "fnkit/ring/ring.hpp"

#include <cerrno>

#include "fnkit/coro/task_group.hpp"

namespace fnkit::ring {

void Ring::submit(Operation& operation, Instant deadline) {
  REQUIRE(!operation.submitted);
  operation.submitted = true;
  operation.ring = this;
  ++in_flight_;
  if (operation.stall != Duration::max()) deadline = later(now_, operation.stall);
  if (deadline != kNever) timers_.arm(operation.timer, deadline);
  start(operation);
}

void Ring::cancel(Operation& operation) {
  if (!operation.submitted || operation.cancelled) return;
  operation.cancelled = true;
  stop(operation);
}

void Ring::complete(Operation& operation, int32_t result, bool more) {
  INVARIANT(operation.submitted);
  operation.result = result;
  operation.more = more;
  if (!more) {
    operation.submitted = false;
    operation.timer.unlink();
    if (operation.timed_out && result == -ECANCELED) operation.result = -ETIMEDOUT;
    --in_flight_;
  }
  operation.handler(operation);
}

void Ring::progressed(Operation& operation) {
  if (operation.stall != Duration::max() && !operation.timed_out) {
    timers_.arm(operation.timer, later(now_, operation.stall));
  }
}

void Ring::turn() {
  coro::ReadyQueue& ready = coro::ReadyQueue::of_thread();
  wait(ready.empty() ? timers_.next_wakeup() : now_);
  now_ = read_clock();
  reap();
  timers_.advance(now_);
  ready.run_batch();
}

void Ring::run(coro::Task<void> task) {
  coro::TaskGroup group;
  group.spawn(std::move(task));
  while (group.running() > 0) turn();
}

}  // namespace fnkit::ring
