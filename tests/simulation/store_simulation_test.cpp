// Seeded runs of the follower of a store. FNKIT_SIMULATION_SEEDS=N runs N seeds,
// FNKIT_SIMULATION_SEED=S only that one. The follower logs to stderr as ever; of a long run the
// last lines are enough: 2> >(tail -n 200 >last.log)
#include "simulation/store_simulation.hpp"

#include <gtest/gtest.h>

#include "simulation/seeds.hpp"

namespace fnkit {
namespace {

using test::Cut;
using test::CutBy;
using test::joined;
using test::seeds;
using test::simulate_script;
using test::simulate_store;
using test::StoreOutcome;
using test::StoreSimulationOptions;
using test::ValkeyManners;

constexpr uint64_t kSeeds = 30;
constexpr uint64_t kCanarySeeds = 5;

void run_seeds(uint64_t step, const StoreSimulationOptions& options) {
  size_t changes = 0;
  size_t publications = 0;
  for (uint64_t seed = seeds(kSeeds).first; seed < seeds(kSeeds).end; seed += step) {
    const StoreOutcome outcome = simulate_store(seed, options);
    EXPECT_TRUE(outcome.faults.empty())
        << "FNKIT_SIMULATION_SEED=" << seed << ":" << joined(outcome.faults);
    changes += outcome.changes;
    publications += outcome.publications;
  }
  std::printf("%zu changes, %zu publications\n", changes, publications);
  EXPECT_GT(publications, 0U);
}

TEST(StoreSimulationTest, WhateverGoesWrongTheLastStateIsTheServers) { run_seeds(1, {}); }

TEST(StoreSimulationTest, WhereNothingGoesWrongWhatIsToldIsInForceAtOnce) {
  StoreSimulationOptions options;
  options.faults = false;
  run_seeds(4, options);
}

TEST(StoreSimulationTest, TheSameSeedGivesTheSameRun) {
  const uint64_t once = simulate_store(7, {}).trace;
  EXPECT_EQ(simulate_store(7, {}).trace, once);
  EXPECT_NE(simulate_store(8, {}).trace, once);
}

// Each byte is one run in a short test, cut in one of the ways by turns, and three in a long one.
void cut_at_each_byte(size_t connection) {
  const StoreOutcome whole = simulate_script({});
  EXPECT_TRUE(whole.faults.empty()) << joined(whole.faults);
  ASSERT_EQ(whole.bytes_sent.size(), 2U);
  const size_t total = whole.bytes_sent[connection];
  EXPECT_GT(total, 200U);
  constexpr CutBy kWays[] = {CutBy::end, CutBy::reset, CutBy::silence};
  const size_t ways =
      test::number_from("FNKIT_SIMULATION_SEEDS", 0) > kSeeds ? std::size(kWays) : 1;
  for (size_t bytes = 0; bytes < total; ++bytes) {
    for (size_t i = 0; i < ways; ++i) {
      ValkeyManners manners;
      manners.cuts[connection] = Cut{bytes, kWays[(bytes + i) % std::size(kWays)]};
      const StoreOutcome outcome = simulate_script(manners);
      EXPECT_TRUE(outcome.faults.empty()) << "cut after byte " << bytes << joined(outcome.faults);
      EXPECT_GT(outcome.bytes_sent.size(), 2U) << "not cut after byte " << bytes;
    }
  }
  std::printf("cut after each of %zu bytes\n", total);
}

TEST(StoreCutTest, TheReadersConnectionIsCutAfterAnyByte) { cut_at_each_byte(0); }

TEST(StoreCutTest, TheSubscribersConnectionIsCutAfterAnyByte) { cut_at_each_byte(1); }

// What is not answered now is not refused for ever.
TEST(StoreScriptTest, AServerThatIsBusyWhileItIsAskedIsAskedAgain) {
  for (unsigned times = 1; times <= 8; ++times) {
    ValkeyManners manners;
    manners.busy_times = times;
    const StoreOutcome outcome = simulate_script(manners);
    EXPECT_TRUE(outcome.faults.empty()) << times << " times busy" << joined(outcome.faults);
  }
}

TEST(StoreScriptTest, AKeyThatComesAndGoesWhileItIsReadIsNeverWhatItNeverWas) {
  for (unsigned times = 1; times < 12; ++times) {
    ValkeyManners manners;
    manners.flickers = times;
    const StoreOutcome outcome = simulate_script(manners);
    EXPECT_TRUE(outcome.faults.empty()) << times << " times" << joined(outcome.faults);
  }
}

bool any_fault_says(const StoreSimulationOptions& options, std::string_view what) {
  for (uint64_t seed = 1; seed <= kCanarySeeds; ++seed) {
    for (const std::string& fault : simulate_store(seed, options).faults) {
      if (fault.find(what) != fault.npos) return true;
    }
  }
  return false;
}

TEST(StoreSimulationCanaryTest, ALostChangeThatNobodyLooksForIsFound) {
  StoreSimulationOptions options;
  options.faults = false;
  options.loses_all = true;
  EXPECT_TRUE(any_fault_says(options, "differs in the end"));
}

TEST(StoreSimulationCanaryTest, AChangeThatIsInForceLateIsFound) {
  StoreSimulationOptions options;
  options.faults = false;
  options.slow = true;
  EXPECT_TRUE(any_fault_says(options, "was told to have changed and is still"));
}

TEST(StoreSimulationCanaryTest, AStaleReadingIsFound) {
  StoreSimulationOptions options;
  options.faults = false;
  options.stale = true;
  EXPECT_TRUE(any_fault_says(options, "differs in the end"));
}

}  // namespace
}  // namespace fnkit
