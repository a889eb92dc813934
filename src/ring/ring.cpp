#include "fnkit/ring/ring.hpp"

#include <algorithm>
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

void Ring::DeferredList::ask(Deferred& deferred) {
  if (!deferred.linked()) asked.push_back(deferred);
}

void Ring::DeferredList::run() {
  while (Deferred* deferred = asked.pop_front()) deferred->run(deferred->owner);
}

Duration Ring::observed_since(Instant from) const {
  const Instant busy_from = std::max(from, previous_);
  return now_ - from - std::max(Duration::zero(), departed_ - busy_from);
}

void Ring::turn() {
  coro::ReadyQueue& ready = coro::ReadyQueue::of_thread();
  departed_ = read_clock();
  counts_->turns.add();
  counts_->busy_nanoseconds.add(static_cast<uint64_t>((departed_ - now_).count()));
  do {
    soon_.run();
    at_departure_.run();
  } while (!soon_.asked.empty());
  wait(ready.empty() ? timers_.next_wakeup() : now_);
  previous_ = now_;
  now_ = read_clock();
  reap();
  soon_.run();
  timers_.advance(now_);
  ready.run_batch();
}

void Ring::run(coro::Task<void> task) {
  coro::TaskGroup group;
  group.spawn(std::move(task));
  while (group.running() > 0) turn();
}

}  // namespace fnkit::ring
