// Seeded runs of the whole program. FNKIT_SIMULATION_SEEDS=N runs N seeds, FNKIT_SIMULATION_SEED=S
// only that one.
#include "simulation/simulation.hpp"

#include <gtest/gtest.h>

#include "fnkit/base/sanitizer.hpp"
#include "simulation/seeds.hpp"

namespace fnkit {
namespace {

using test::joined;
using test::seeds;
using test::simulate;
using test::SimulationOptions;
using test::SimulationOutcome;

// Thirty times slower when sanitizers watch.
constexpr uint64_t kSeeds = kAddressSanitizer ? 100 : 10'000;
constexpr uint64_t kCanarySeeds = 5;

TEST(SimulationTest, WhateverGoesWrongEachRequestGetsItsOwnAnswerOrItsConnectionEnds) {
  size_t good = 0;
  size_t failed = 0;
  size_t ended = 0;
  for (uint64_t seed = seeds(kSeeds).first; seed < seeds(kSeeds).end; ++seed) {
    const SimulationOutcome outcome = simulate(seed, {});
    EXPECT_TRUE(outcome.faults.empty())
        << "FNKIT_SIMULATION_SEED=" << seed << ":" << joined(outcome.faults);
    good += outcome.good_answers;
    failed += outcome.failed_answers;
    ended += outcome.ends;
  }
  std::printf("%zu good answers, %zu failures, %zu ends\n", good, failed, ended);
  EXPECT_GT(good, 0U);
}

TEST(SimulationTest, WhereNothingGoesWrongEveryAnswerIsTheGoodOne) {
  for (uint64_t seed = seeds(kSeeds).first; seed < seeds(kSeeds).end; seed += 4) {
    SimulationOptions options;
    options.faults = false;
    const SimulationOutcome outcome = simulate(seed, options);
    EXPECT_TRUE(outcome.faults.empty())
        << "FNKIT_SIMULATION_SEED=" << seed << ":" << joined(outcome.faults);
    EXPECT_EQ(outcome.good_answers + outcome.unknown_answers, 50U);
    EXPECT_GE(outcome.good_answers, 25U);
  }
}

TEST(SimulationTest, TheSameSeedGivesTheSameRun) {
  const uint64_t once = simulate(7, {}).trace;
  EXPECT_EQ(simulate(7, {}).trace, once);
  EXPECT_NE(simulate(8, {}).trace, once);
}

bool any_fault_says(const SimulationOptions& options, std::string_view what) {
  for (uint64_t seed = 1; seed <= kCanarySeeds; ++seed) {
    for (const std::string& fault : simulate(seed, options).faults) {
      if (fault.find(what) != fault.npos) return true;
    }
  }
  return false;
}

TEST(SimulationCanaryTest, AnAnswerForSomebodyElseIsFound) {
  SimulationOptions options;
  options.mixes_up = true;
  EXPECT_TRUE(any_fault_says(options, "somebody else's"));
}

TEST(SimulationCanaryTest, ACallThatComesTwiceIsFound) {
  SimulationOptions options;
  options.doubles = true;
  EXPECT_TRUE(any_fault_says(options, "was called 2 times"));
}

}  // namespace
}  // namespace fnkit
