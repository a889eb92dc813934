// What all cores have counted, added up.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fnkit/observe/series.hpp"

namespace fnkit::observe {

struct StepTotal {
  std::array<uint64_t, kCauses> ended{};
  HistogramSum latency;
  uint64_t last_ended = 0;   // nanoseconds of an Instant; 0: none has
  bool last_failed = false;  // that one

  uint64_t of(Cause cause) const { return ended[static_cast<size_t>(cause)]; }
  uint64_t calls() const { return of(Cause::none) + failures(); }  // not those that were cancelled
  uint64_t failures() const;
};

struct PipelineTotal {
  std::array<uint64_t, 6> answered{};  // by the first digit of the status
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  uint64_t in_progress = 0;
  HistogramSum latency;

  uint64_t requests() const;  // without those that were cancelled
};

// At one moment, as exact as other threads' counters can be read: each number for itself.
struct Totals {
  std::map<std::string, StepTotal, std::less<>> steps;
  std::map<std::string, PipelineTotal, std::less<>> pipelines;
  std::map<int, uint64_t> unrouted;  // by status
  std::array<uint64_t, kLimits> limits{};

  void add(const CoreSeries& core);
};

}  // namespace fnkit::observe
