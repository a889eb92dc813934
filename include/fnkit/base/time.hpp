// The one clock of the program: monotonic, read once a loop turn, injected in simulation.
#pragma once

#include <chrono>

namespace fnkit {

using Duration = std::chrono::nanoseconds;
// A point on CLOCK_MONOTONIC (in simulation: on the simulated clock).
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;

// "No deadline": later than anything that will ever be compared with it.
inline constexpr Instant kNever = Instant::max();

// `from + after`, without overflow where either is "for ever".
constexpr Instant later(Instant from, Duration after) {
  return after >= kNever - from ? kNever : from + after;
}

}  // namespace fnkit
