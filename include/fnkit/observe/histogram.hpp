// How long things took, counted in buckets fine enough for percentiles.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#include "fnkit/base/counter.hpp"
#include "fnkit/base/time.hpp"

namespace fnkit::observe {

// Upper bounds, inclusive, in nanoseconds: ten a decade from 10 us to 100 s, so that a percentile
// is known to within a tenth or so, and every bound that Prometheus is shown is one of them. A last
// bucket without a bound follows.
inline constexpr std::array<int64_t, 71> kLatencyBounds = [] {
  constexpr std::array<int64_t, 10> kSteps = {100, 125, 150, 200, 250, 300, 400, 500, 600, 750};
  std::array<int64_t, 71> bounds{};
  int64_t decade = 100;
  for (size_t i = 0; i < bounds.size(); ++i) {
    bounds[i] = kSteps[i % kSteps.size()] * decade;
    if (i % kSteps.size() == kSteps.size() - 1) decade *= 10;
  }
  return bounds;
}();

// The index of the bucket for `nanoseconds`.
inline size_t latency_bucket(int64_t nanoseconds) {
  // Where to begin for each bit width; within it at most four bounds are looked at.
  static constexpr std::array<uint8_t, 65> kFirst = [] {
    std::array<uint8_t, 65> first{};
    for (unsigned width = 1; width < first.size(); ++width) {
      const uint64_t least = uint64_t{1} << (width - 1);
      uint8_t i = 0;
      while (i < kLatencyBounds.size() && static_cast<uint64_t>(kLatencyBounds[i]) < least) ++i;
      first[width] = i;
    }
    return first;
  }();
  const uint64_t value = nanoseconds > 0 ? static_cast<uint64_t>(nanoseconds) : 0;
  size_t i = kFirst[static_cast<size_t>(std::bit_width(value))];
  while (i < kLatencyBounds.size() && static_cast<uint64_t>(kLatencyBounds[i]) < value) ++i;
  return i;
}

// One thread adds, any thread reads.
class Histogram {
 public:
  static constexpr size_t kBuckets = kLatencyBounds.size() + 1;

  void add(Duration took) {
    buckets_[latency_bucket(took.count())].add();
    sum_nanoseconds_.add(static_cast<uint64_t>(took.count()));
  }
  uint64_t bucket(size_t index) const { return buckets_[index].get(); }
  uint64_t sum_nanoseconds() const { return sum_nanoseconds_.get(); }

 private:
  std::array<Counter, kBuckets> buckets_;
  Counter sum_nanoseconds_;
};

// Several of them as one, at one moment.
struct HistogramSum {
  std::array<uint64_t, Histogram::kBuckets> buckets{};
  uint64_t sum_nanoseconds = 0;

  void add(const Histogram& histogram) {
    for (size_t i = 0; i < buckets.size(); ++i) buckets[i] += histogram.bucket(i);
    sum_nanoseconds += histogram.sum_nanoseconds();
  }
  uint64_t count() const {
    uint64_t count = 0;
    for (const uint64_t each : buckets) count += each;
    return count;
  }
};

}  // namespace fnkit::observe
