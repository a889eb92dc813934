// One thread's event loop, and the only seam to the outside world: what is submitted here happens
// in the kernel (make_kernel_ring) or in a test's simulation.
#pragma once

#include <memory>
#include <string>

#include "fnkit/base/counter.hpp"
#include "fnkit/base/result.hpp"
#include "fnkit/coro/task.hpp"
#include "fnkit/ring/operation.hpp"

namespace fnkit::ring {

// What has arrived at a socket and has not been told by a receive yet.
enum class Unread : uint8_t { nothing, bytes, end };

struct DeferredTag;

// Something to do once, soon: Ring::defer(). Take back with unlink(); destroying it takes it back.
struct Deferred : ListNode<DeferredTag> {
  using Action = void (*)(void* context);
  Deferred(Action action, void* context) : run(action), owner(context) {}

  Action run;
  void* owner;
};

// What a loop did so far.
struct LoopCounts {
  Counter turns;
  Counter busy_nanoseconds;   // not waiting
  Counter enters;             // system calls that hand over, wait or both
  Counter buffers_exhausted;  // receives that found no buffer and were started again
  Counter overflows;          // completions that did not fit the queue at once
};

// A turn: run what was deferred, hand over what was submitted, wait for the first completion or
// deadline, let completions and timers make coroutines ready, resume these. Resuming comes last, so
// that whoever turns until something has happened does not wait once more after it has. Everything
// runs on the thread that made the ring.
class Ring {
 public:
  virtual ~Ring() = default;

  // Starts `operation`. It completes in a later turn, never inside this call. With a deadline its
  // result is -ETIMEDOUT when the time has come and it has not completed by itself.
  void submit(Operation& operation, Instant deadline = kNever);

  // Asks `operation` to end soon; it still completes, with -ECANCELED or what it achieved.
  // Harmless where it is not submitted.
  void cancel(Operation& operation);

  // Runs `deferred` once, when a turn's completions have all been seen or when its coroutines have
  // all gone on, whichever comes first: to do once what many of them ask for.
  void defer(Deferred& deferred) { soon_.ask(deferred); }
  // Runs `deferred` once, right before the loop hands over and waits: to send as one what has been
  // gathered in a turn.
  void defer_to_departure(Deferred& deferred) { at_departure_.ask(deferred); }

  // The time of this turn.
  Instant now() const { return now_; }
  // When the loop last went to wait; for what is deferred to departure: now, freshly read.
  Instant departed() const { return departed_; }
  // How long something took that began at `from` and that this turn has seen the end of, without
  // the time in which the loop was busy and could not have seen it.
  Duration observed_since(Instant from) const;
  TimerWheel& timers() { return timers_; }

  // From now on it counts into `counts`, which others may read; they must outlive it.
  void count_into(LoopCounts& counts) { counts_ = &counts; }

  // A stream socket of `family`, with TCP_NODELAY where that applies; blocking, as io_uring wants.
  virtual Result<int> open_socket(int family) = 0;
  // What has come to `fd`, whose receive is submitted, since the completions were last seen: a
  // system call where anything has come to this loop. `end` is also an error of the connection.
  virtual Unread unread(int fd) = 0;
  // Sends FIN after what was sent; reading goes on.
  virtual void shut_down_sending(int fd) = 0;
  // `fd` must have no operation submitted: closing under an armed receive sends no FIN.
  virtual void close(int fd) = 0;

  // Turns until `task` has returned.
  void run(coro::Task<void> task);
  // One turn. Does not wait for completions when coroutines are ready before.
  void turn();

  // Submitted and not yet ended operations.
  size_t in_flight() const { return in_flight_; }

 protected:
  explicit Ring(Instant now) : now_(now), departed_(now), previous_(now), timers_(now) {}

  virtual void start(Operation& operation) = 0;
  virtual void stop(Operation& operation) = 0;
  // Hands over what was started and waits until something completes or `until` has come (kNever:
  // only for completions; now(): not at all). It is departed() when it is called.
  virtual void wait(Instant until) = 0;
  virtual Instant read_clock() = 0;
  // Calls complete() or progressed() for all that has happened.
  virtual void reap() = 0;

  LoopCounts& counts() { return *counts_; }

  void complete(Operation& operation, int32_t result, bool more);
  // A send has got some bytes away but not all.
  void progressed(Operation& operation);

 private:
  Instant now_;
  Instant departed_;
  Instant previous_;  // now() of the turn before
  TimerWheel timers_;
  LoopCounts own_counts_;
  LoopCounts* counts_ = &own_counts_;
  size_t in_flight_ = 0;
  struct DeferredList {
    void ask(Deferred& deferred);
    void run();
    IntrusiveList<Deferred, DeferredTag> asked;
  };
  DeferredList soon_;
  DeferredList at_departure_;
};

// Why the kernel forbids io_uring here, and what to change: one sentence.
struct RingForbidden {
  std::string reason;
};

// The ring of the calling thread (it must be used on that thread only).
Result<std::unique_ptr<Ring>, RingForbidden> make_kernel_ring();

// Lines for people: the kernel, how rings are set up and what its io_uring has, or why it is
// forbidden.
std::string kernel_facts();

}  // namespace fnkit::ring
