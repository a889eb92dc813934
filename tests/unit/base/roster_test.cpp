#include "fnkit/base/roster.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "fnkit/base/counter.hpp"

namespace fnkit {
namespace {

struct Thing {
  explicit Thing(std::string_view given) : name(given) {}
  const std::string name;
  Counter count;
};

std::vector<std::string> names(const Roster<Thing>& roster) {
  std::vector<std::string> found;
  roster.each([&found](const Thing& thing) { found.push_back(thing.name); });
  return found;
}

TEST(RosterTest, ANameHasOneThingForEver) {
  Roster<Thing> roster;
  Thing& a = roster.of("a");
  for (int i = 0; i < 100; ++i) roster.of("thing" + std::to_string(i));
  EXPECT_EQ(&roster.of("a"), &a);
  EXPECT_EQ(names(roster).size(), 101U);
  EXPECT_EQ(names(roster).front(), "a");
}

TEST(RosterTest, NamesBeyondTheLimitShareOneThing) {
  Roster<Thing> roster;
  for (size_t i = 0; i < Roster<Thing>::kMax; ++i) roster.of(std::to_string(i)).count.add();
  for (int i = 0; i < 5000; ++i) roster.of("more" + std::to_string(i)).count.add();
  EXPECT_EQ(names(roster).size(), Roster<Thing>::kMax + 1);
  EXPECT_EQ(names(roster).back(), "_other");
  EXPECT_EQ(roster.of("another").count.get(), 5000U);
  EXPECT_EQ(roster.of("0").count.get(), 1U);
}

TEST(RosterTest, OthersMayLookWhileOneAdds) {
  Roster<Thing> roster;
  std::atomic<bool> done = false;
  std::thread reader([&] {
    uint64_t before = 0;
    while (!done) {
      uint64_t sum = 0;
      roster.each([&sum](const Thing& thing) { sum += thing.count.get() + thing.name.size(); });
      EXPECT_GE(sum, before);
      before = sum;
    }
  });
  for (int round = 0; round < 50; ++round) {
    for (size_t i = 0; i < Roster<Thing>::kMax + 10; ++i) roster.of(std::to_string(i)).count.add();
  }
  done = true;
  reader.join();
  uint64_t sum = 0;
  roster.each([&sum](const Thing& thing) { sum += thing.count.get(); });
  EXPECT_EQ(sum, 50 * (Roster<Thing>::kMax + 10));
}

}  // namespace
}  // namespace fnkit
