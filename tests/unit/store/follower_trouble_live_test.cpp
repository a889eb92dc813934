// Servers that refuse, hang, die and come back.
#include <signal.h>

#include "follower_live.hpp"

namespace fnkit::test {
namespace {

using FollowerTroubleLive = FollowerLive;

TEST_P(FollowerTroubleLive, WithoutConfigTrackingSuffices) {
  begin();
  follow(user({"-config"}));
  EXPECT_EQ(live_.status().changes_by, "tracking");
  sees_sets_and_flushes();
}

TEST_P(FollowerTroubleLive, WithoutClientNotificationsCarryWhatTheyCan) {
  begin();
  follow(user({"-client"}), 200ms);
  EXPECT_EQ(live_.status().changes_by, "keyspace notifications");
  sees_sets_and_flushes();  // the flush by comparing
}

TEST_P(FollowerTroubleLive, WithoutBothItPolls) {
  begin();
  follow(user({"-config", "-client"}), 100ms);
  EXPECT_EQ(live_.status().changes_by, "polling");
  sees_sets_and_flushes();
}

TEST_P(FollowerTroubleLive, WithoutChannelsItPolls) {
  begin();
  follow(user({"resetchannels"}), 100ms);
  EXPECT_EQ(live_.status().changes_by, "polling");
  sees_sets_and_flushes();
}

TEST_P(FollowerTroubleLive, ARefusedLoginIsToldAndTriedAgain) {
  begin();
  live_.set("a", config("one"));
  live_.ask({"ACL", "SETUSER", "worker", "on", ">other", "~*", "&*", "+@all"});
  live_.follow("unix://worker:secret@" + server_->socket());
  EXPECT_TRUE(live_.until([this] { return !live_.status().trouble.empty(); }));
  EXPECT_NE(live_.status().trouble.find("refuses the user name or password"), std::string::npos)
      << live_.status().trouble;
  EXPECT_FALSE(live_.status().loaded);
  EXPECT_EQ(published().count, 0U);
  live_.ask({"ACL", "SETUSER", "worker", ">secret"});
  EXPECT_TRUE(step_becomes("a", "one"));
  EXPECT_EQ(live_.status().trouble, "");
}

TEST_P(FollowerTroubleLive, AServerThatComesBackWithOtherDataIsReadAgain) {
  begin();
  live_.set("a", config("one"));
  live_.set("b", config("one"));
  follow();
  live_.disconnect();
  server_->kill();
  EXPECT_TRUE(live_.until([this] { return !live_.status().trouble.empty(); }));
  EXPECT_FALSE(live_.status().connected);
  EXPECT_EQ(published().step("a"), "one");
  server_->start();
  live_.connect(server_->socket());
  live_.set("a", config("two"));
  EXPECT_TRUE(step_becomes("a", "two") && goes("b"));
  EXPECT_TRUE(live_.until([this] { return live_.status().connected; }));
  live_.set("a", config("three"));
  EXPECT_TRUE(step_becomes("a", "three"));
}

TEST_P(FollowerTroubleLive, AServerThatHangsIsNoticedAndOutlived) {
  begin();
  live_.set("a", config("one"));
  follow();
  const Instant stopped = std::chrono::steady_clock::now();
  server_->signal(SIGSTOP);
  EXPECT_TRUE(live_.until([this] { return !live_.status().connected; }));
  EXPECT_LT(std::chrono::steady_clock::now() - stopped, 5s);
  EXPECT_EQ(published().step("a"), "one");
  server_->signal(SIGCONT);
  EXPECT_TRUE(live_.until([this] { return live_.status().connected; }));
  live_.set("a", config("two"));
  EXPECT_TRUE(step_becomes("a", "two"));
}

TEST_P(FollowerTroubleLive, EitherConnectionMayBeKilled) {
  begin();
  follow();
  for (int round = 0; round < 6; ++round) {
    const char* type = round % 2 == 0 ? "pubsub" : "normal";
    live_.ask({"CLIENT", "KILL", "TYPE", type, "SKIPME", "yes"});
    live_.set("a", config("round" + std::to_string(round)));
    EXPECT_TRUE(step_becomes("a", "round" + std::to_string(round))) << type;
    EXPECT_TRUE(live_.until([this] { return live_.status().connected; }));
  }
}

TEST_P(FollowerTroubleLive, ANameIsLookedUpAndAPasswordDecoded) {
  const uint16_t port = free_port();
  begin({"--port", std::to_string(port), "--requirepass", "p@ss:w/rd", "--protected-mode", "no"},
        "p@ss:w/rd");
  live_.set("a", config("one"));
  follow("redis://:p%40ss%3Aw%2Frd@localhost:" + std::to_string(port) + "/0");
  EXPECT_EQ(published().step("a"), "one");
  live_.set("a", config("two"));
  EXPECT_TRUE(step_becomes("a", "two"));
}

TEST_P(FollowerTroubleLive, AnAddressWhereNobodyListensIsSaid) {
  live_.follow("redis://127.0.0.1:" + std::to_string(free_port()));
  EXPECT_TRUE(live_.until([this] { return !live_.status().trouble.empty(); }));
  EXPECT_NE(live_.status().trouble.find("Connection refused"), std::string::npos);
  live_.stop_following();
}

TEST_P(FollowerTroubleLive, ItMayBeStoppedAtEveryPoint) {
  begin();
  for (int i = 0; i < 300; ++i) live_.set("n" + std::to_string(i), config("one"));
  for (int turns = 0; turns < 40; ++turns) {
    Live other;
    int left = turns;
    other.follow(server_->url(), 10ms);
    other.until([&left] { return left-- <= 0; });
    other.stop_following();
  }
}

INSTANTIATE_TEST_SUITE_P(Servers, FollowerTroubleLive,
                         ::testing::Values("valkey-server", "redis-server"), server_name);

}  // namespace
}  // namespace fnkit::test
