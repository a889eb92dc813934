#include "fnkit/ring/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace fnkit::ring {

void TimerWheel::arm(Timer& timer, Instant deadline) {
  timer.unlink();
  timer.deadline = deadline;
  if (deadline != kNever) insert(timer);
}

void TimerWheel::insert(Timer& timer) {
  const uint64_t tick = std::max(ticks_of(timer.deadline) + 1, current_ + 1);
  const unsigned level = static_cast<unsigned>(std::bit_width(tick ^ current_) - 1) / kSlotBits;
  const unsigned slot = static_cast<unsigned>(tick >> (kSlotBits * level)) % kSlots;
  slots_[level][slot].push_back(timer);
  occupied_[level] |= uint64_t{1} << slot;
}

// A timer stands at the level of the highest digit (base 64) in which its tick differs from
// current_, so every slot of a lower level comes before every slot of a higher one.
bool TimerWheel::earliest(Position& found) {
  for (unsigned level = 0; level < kLevels; ++level) {
    while (occupied_[level] != 0) {
      const auto slot = static_cast<unsigned>(std::countr_zero(occupied_[level]));
      if (slots_[level][slot].empty()) {
        occupied_[level] &= occupied_[level] - 1;
        continue;
      }
      const unsigned shift = kSlotBits * level;
      const uint64_t above = current_ >> (shift + kSlotBits) << (shift + kSlotBits);
      found = {level, slot, above | (uint64_t{slot} << shift)};
      return true;
    }
  }
  return false;
}

Instant TimerWheel::next_wakeup() {
  Position position{};
  if (!earliest(position)) return kNever;
  return Instant(Duration(static_cast<int64_t>(position.tick << kTickShift)));
}

void TimerWheel::advance(Instant now) {
  const uint64_t now_tick = ticks_of(now);
  Position position{};
  while (earliest(position) && position.tick <= now_tick) {
    current_ = std::max(current_, position.tick);
    Slot due;
    due.append(slots_[position.level][position.slot]);
    while (Timer* timer = due.pop_front()) {
      if (timer->deadline <= now) {
        timer->fire(timer->owner);
      } else {
        insert(*timer);
      }
    }
  }
  current_ = std::max(current_, now_tick);
}

}  // namespace fnkit::ring
