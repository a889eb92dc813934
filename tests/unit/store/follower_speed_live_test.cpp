// How soon changes are in force, and what many at once do.
#include <algorithm>
#include <iostream>

#include "fnkit/base/random.hpp"
#include "follower_live.hpp"

namespace fnkit::test {
namespace {

class FollowerSpeedLive : public FollowerLive {
 protected:
  std::vector<double> milliseconds_to_publish(int sets, int names);
};

TEST_P(FollowerSpeedLive, TheNewestValueWinsWhateverTheOrderOfEvents) {
  begin();
  follow();
  Random random(7);
  std::vector<std::string> last(8);
  for (int i = 0; i < 10'000; ++i) {
    const size_t key = random.below(last.size());
    last[key] = random.chance(20) ? "" : "s" + std::to_string(i);
    const std::string name = "k" + std::to_string(key);
    if (last[key].empty()) {
      live_.ask({"DEL", kPrefix + name});
    } else {
      live_.set(name, config(last[key]));
    }
  }
  for (size_t key = 0; key < last.size(); ++key) {
    EXPECT_TRUE(step_becomes("k" + std::to_string(key), last[key])) << key;
  }
}

// `names` pipelines are set in turn, each when the change before it is in force.
std::vector<double> FollowerSpeedLive::milliseconds_to_publish(int sets, int names) {
  std::vector<double> milliseconds;
  for (int i = 0; i < sets; ++i) {
    const std::string step = "s" + std::to_string(i);
    const std::string name = "n" + std::to_string(i % names);
    const Instant replied = live_.ask_when({"SET", kPrefix + name, config(step)});
    EXPECT_TRUE(step_becomes(name, step));
    const std::chrono::duration<double, std::milli> took = published().last - replied;
    milliseconds.push_back(std::max(took.count(), 0.0));
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  std::cout << GetParam() << ": " << sets << " SETs of " << names
            << " names in turn, from the reply to publish: p50 "
            << milliseconds[milliseconds.size() / 2] << " ms, p99 "
            << milliseconds[milliseconds.size() * 99 / 100] << " ms, max " << milliseconds.back()
            << " ms\n";
  return milliseconds;
}

TEST_P(FollowerSpeedLive, AChangeIsInForceSoonAfterTheServersReply) {
  begin();
  follow();
  const std::vector<double> many = milliseconds_to_publish(1000, 1000);
  EXPECT_LT(many[990], 50);
  const std::vector<double> one = milliseconds_to_publish(100, 1);  // at most each 20 ms
  EXPECT_LT(one[98], 50);
}

TEST_P(FollowerSpeedLive, ManyPipelinesLoadAndChangeAndGo) {
  begin();
  const std::string fill =
      "for i=1,tonumber(ARGV[1]) do redis.call('set','fnkit:pipeline:n'..i,ARGV[2]) end";
  live_.ask({"EVAL", fill, "0", "20000", config("one")});
  follow();
  EXPECT_EQ(published().snapshot->size(), 20'000U);
  live_.ask({"EVAL", fill, "0", "20000", config("two")});
  EXPECT_TRUE(step_becomes("n20000", "two") && step_becomes("n1", "two"));
  live_.ask({"FLUSHALL"});
  EXPECT_TRUE(live_.until([this] { return published().snapshot->size() == 0; }));
}

INSTANTIATE_TEST_SUITE_P(Servers, FollowerSpeedLive,
                         ::testing::Values("valkey-server", "redis-server"), server_name);

}  // namespace
}  // namespace fnkit::test
