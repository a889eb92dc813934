// Deadlines, many of them, nearly all cancelled before they come due: a hierarchical timing wheel
// (Varghese, Lauck 1987) with intrusive timers. Arming and disarming are a few stores each.
#pragma once

#include <array>
#include <cstdint>

#include "fnkit/base/intrusive_list.hpp"
#include "fnkit/base/time.hpp"

namespace fnkit::ring {

struct TimerTag;

// Something to do at a time. Disarm with unlink(); destroying it disarms it. `fire` may arm this or
// any other timer again and may destroy any timer.
struct Timer : ListNode<TimerTag> {
  using Action = void (*)(void* context);
  Timer(Action action, void* context) : fire(action), owner(context) {}

  Action fire;
  void* owner;
  Instant deadline = kNever;
};

// Never fires early; at most two ticks (2.1 ms) late, plus what the caller's loop adds. One thread.
class TimerWheel {
 public:
  explicit TimerWheel(Instant start) : current_(ticks_of(start)) {}

  // Arms `timer` for `deadline`, replacing an earlier deadline; kNever disarms it.
  void arm(Timer& timer, Instant deadline);

  // When to call advance() next: no later than the earliest deadline rounded up to a tick, kNever
  // without timers. May be earlier than any deadline.
  Instant next_wakeup();

  // Fires what is due at `now`, in order of ticks.
  void advance(Instant now);

 private:
  static constexpr unsigned kTickShift = 20;  // a tick is 2^20 ns, so no division is needed
  static constexpr unsigned kSlotBits = 6;
  static constexpr unsigned kSlots = 1U << kSlotBits;
  // 64^8 ticks: all that an Instant can hold. Fewer levels would need a rule for deadlines beyond
  // the highest digit, and a machine is up for longer than any small number of ticks.
  static constexpr unsigned kLevels = 8;
  using Slot = IntrusiveList<Timer, TimerTag>;

  static uint64_t ticks_of(Instant instant) {
    return static_cast<uint64_t>(instant.time_since_epoch().count()) >> kTickShift;
  }
  struct Position {
    unsigned level;
    unsigned slot;
    uint64_t tick;  // at which the slot must be looked at
  };
  bool earliest(Position& found);
  void insert(Timer& timer);

  uint64_t current_;
  std::array<uint64_t, kLevels> occupied_{};  // a bit a slot; may be set for an emptied one
  std::array<std::array<Slot, kSlots>, kLevels> slots_;
};

}  // namespace fnkit::ring
