#include "fnkit/base/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace fnkit {
namespace {

// The published outputs of SplitMix64 (prng.di.unimi.it/splitmix64.c; Rosetta Code, seed 1234567).
TEST(RandomTest, IsSplitMix64) {
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317ULL);
  EXPECT_EQ(random.next(), 3203168211198807973ULL);
  EXPECT_EQ(random.next(), 9817491932198370423ULL);
  EXPECT_EQ(random.next(), 4593380528125082431ULL);
  EXPECT_EQ(random.next(), 16408922859458223821ULL);
}

TEST(RandomTest, StaysBelowItsBoundAndReachesEverything) {
  Random random(5);
  std::array<int, 10> seen{};
  for (int i = 0; i < 10'000; ++i) ++seen.at(random.below(10));
  for (const int count : seen) EXPECT_NEAR(count, 1000, 200);
  EXPECT_EQ(random.below(0), 0U);
  EXPECT_EQ(random.below(1), 0U);
}

TEST(RandomTest, ChancesArePercentages) {
  Random random(6);
  int never = 0, always = 0, third = 0;
  for (int i = 0; i < 10'000; ++i) {
    never += random.chance(0) ? 1 : 0;
    always += random.chance(100) ? 1 : 0;
    third += random.chance(33) ? 1 : 0;
  }
  EXPECT_EQ(never, 0);
  EXPECT_EQ(always, 10'000);
  EXPECT_NEAR(third, 3300, 300);
}

TEST(RandomTest, IdsAreSixteenHexDigitsAndDiffer) {
  Random random(7);
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    std::string id = "x";
    random.append_hex16(id);
    ASSERT_EQ(id.size(), 17U);
    ASSERT_EQ(id.find_first_not_of("0123456789abcdef", 1), std::string::npos);
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 1000U);
  EXPECT_NE(random_seed(), random_seed());
}

}  // namespace
}  // namespace fnkit
