// What changes in a real server reaches the follower.
#include "follower_live.hpp"

namespace fnkit::test {
namespace {

using FollowerChangesLive = FollowerLive;

TEST_P(FollowerChangesLive, EveryWayToChangeAKeyIsSeen) {
  begin();
  live_.set("first", config("one"));
  follow();
  EXPECT_EQ(published().step("first"), "one");
  EXPECT_EQ(live_.status().changes_by, "keyspace notifications and tracking");

  live_.set("a", config("two"));
  EXPECT_TRUE(step_becomes("a", "two"));
  live_.ask({"MSET", kPrefix + "b", config("b1"), kPrefix + "c", config("c1")});
  EXPECT_TRUE(step_becomes("b", "b1") && step_becomes("c", "c1"));
  live_.ask({"DEL", kPrefix + "b"});
  EXPECT_TRUE(goes("b"));
  live_.ask({"PEXPIRE", kPrefix + "c", "30"});
  EXPECT_TRUE(goes("c"));
  live_.ask({"RENAME", kPrefix + "a", kPrefix + "d"});
  EXPECT_TRUE(goes("a") && step_becomes("d", "two"));
  live_.ask({"COPY", kPrefix + "d", kPrefix + "e"});
  EXPECT_TRUE(step_becomes("e", "two"));
  const valkey::Reply dump = live_.ask({"DUMP", kPrefix + "d"});
  live_.ask({"RESTORE", kPrefix + "f", "0", dump.text});
  EXPECT_TRUE(step_becomes("f", "two"));
  live_.ask({"SETRANGE", kPrefix + "f", "11", "new"});
  EXPECT_TRUE(step_becomes("f", "new"));
  live_.ask({"GETDEL", kPrefix + "f"});
  EXPECT_TRUE(goes("f"));
  live_.ask({"EVAL", "redis.call('set', KEYS[1], ARGV[1])", "1", kPrefix + "g", config("lua")});
  EXPECT_TRUE(step_becomes("g", "lua"));
  live_.ask({"FLUSHALL"});
  EXPECT_TRUE(live_.until([this] { return published().snapshot->size() == 0; }));
  live_.set("a", config("again"));
  EXPECT_TRUE(step_becomes("a", "again"));
  live_.ask({"FLUSHDB"});
  EXPECT_TRUE(goes("a"));
  EXPECT_EQ(live_.status().pipelines, 0U);
}

TEST_P(FollowerChangesLive, EvictedKeysAreGone) {
  begin();
  live_.set("a", config("one"));
  follow();
  live_.ask({"CONFIG", "SET", "maxmemory-policy", "allkeys-random"});
  live_.ask({"CONFIG", "SET", "maxmemory", "1"});
  live_.ask({"SET", "other", "x"});
  EXPECT_TRUE(goes("a"));
}

TEST_P(FollowerChangesLive, FlagsThatOthersHaveSetStay) {
  begin({"--notify-keyspace-events", "El"});
  follow();
  const std::string flags = live_.ask({"CONFIG", "GET", "notify-keyspace-events"}).elements[1].text;
  for (const char flag : std::string("ElK$gxe")) {
    EXPECT_NE(flags.find(flag), std::string::npos) << flag << " is not in " << flags;
  }
}

TEST_P(FollowerChangesLive, AnotherDatabaseIsFollowedByItsNumber) {
  begin();
  follow(server_->url() + "?db=3");
  live_.set("elsewhere", config("zero"));
  live_.ask({"SELECT", "3"});
  live_.set("here", config("three"));
  EXPECT_TRUE(step_becomes("here", "three"));
  EXPECT_FALSE(published().has("elsewhere"));
  live_.ask({"FLUSHDB"});
  EXPECT_TRUE(goes("here"));
}

TEST_P(FollowerChangesLive, InvalidValuesLeaveTheLastGoodPlanInForce) {
  begin();
  live_.set("bad", "{");
  live_.set("two words", config("never"));
  follow();
  EXPECT_EQ(live_.status().invalid, 1U);
  EXPECT_EQ(published().snapshot->find("bad")->plan, nullptr);
  EXPECT_FALSE(published().has("two words"));

  live_.set("a", config("good"));
  EXPECT_TRUE(step_becomes("a", "good"));
  const std::string half_a_mib(512 * 1024, ' ');
  for (const std::string& value : {std::string("[]"), std::string(), half_a_mib}) {
    const std::string before = published().invalid("a");
    live_.set("a", value);
    EXPECT_TRUE(live_.until([&] { return published().invalid("a") != before; })) << value.size();
    EXPECT_EQ(published().step("a"), "good");
  }
  live_.ask({"DEL", kPrefix + "a"});
  EXPECT_TRUE(goes("a"));
  live_.set("a", config("good"));
  EXPECT_TRUE(step_becomes("a", "good"));
  live_.ask({"SADD", kPrefix + "s", "x"});
  live_.ask({"RENAME", kPrefix + "s", kPrefix + "a"});
  EXPECT_TRUE(live_.until([&] { return !published().invalid("a").empty(); }));
  EXPECT_NE(published().invalid("a").find("no string"), std::string::npos);
  EXPECT_EQ(published().step("a"), "good");
  live_.set("a", config("better"));
  EXPECT_TRUE(step_becomes("a", "better"));
  EXPECT_EQ(published().invalid("a"), "");
}

TEST_P(FollowerChangesLive, AnUnchangedReadingPublishesNothing) {
  begin();
  live_.set("a", config("one"));
  follow(20ms);
  const size_t before = published().count;
  const std::shared_ptr<const pipeline::Plan> plan = published().snapshot->find("a")->plan;
  live_.set("a", config("one"));
  live_.ask({"PEXPIRE", kPrefix + "a", "100000"});
  live_.set("b", config("end"));
  EXPECT_TRUE(step_becomes("b", "end"));
  EXPECT_EQ(published().count, before + 1);
  EXPECT_EQ(published().snapshot->find("a")->plan, plan);
}

INSTANTIATE_TEST_SUITE_P(Servers, FollowerChangesLive,
                         ::testing::Values("valkey-server", "redis-server"), server_name);

}  // namespace
}  // namespace fnkit::test
