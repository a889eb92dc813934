// What all micro benchmarks have in common.
#pragma once

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else  // then micro/instructions has nothing to read
#define CALLGRIND_ZERO_STATS
#define CALLGRIND_DUMP_STATS
#endif

namespace fnkit::bench {

// Blocks that this thread has asked malloc for, or asked to grow, so far.
uint64_t allocations();

// For BENCHMARK()->Apply(): as many iterations as FNKIT_ITERATIONS says, where it says so. Fixed,
// their instructions can be compared with those of another run (micro/instructions).
inline void as_asked(benchmark::internal::Benchmark* benchmark) {
  if (const char* iterations = std::getenv("FNKIT_ITERATIONS")) {
    benchmark->Iterations(std::atoll(iterations));
  }
}

// From its making to stop(): allocations and, where callgrind looks on, instructions.
class Meter {
 public:
  Meter() : before_(allocations()) { CALLGRIND_ZERO_STATS; }

  // Allocations become a counter of `state`: those of one of `times`, to two decimals.
  void stop(benchmark::State& state, double times) {
    CALLGRIND_DUMP_STATS;
    const auto made = static_cast<double>(allocations() - before_);
    state.counters["allocations"] = std::round(100 * made / times) / 100;
  }

 private:
  uint64_t before_;
};

// `body` as often as `state` asks for it.
template <class Body>
void measured(benchmark::State& state, Body body) {
  Meter meter;
  for ([[maybe_unused]] auto _ : state) body();
  meter.stop(state, static_cast<double>(state.iterations()));
}

}  // namespace fnkit::bench
