// What a ServerConnection does to callers who are slow or send too much.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "wire/http_cases.hpp"
#include "wire/server_world.hpp"

namespace fnkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Answers;
using test::Caller;
using test::get;
using test::kShort;
using test::post;
using test::ServerWorld;

class ServerLimitsTest : public testing::TestWithParam<uint64_t> {
 protected:
  ServerWorld world{GetParam()};

  // How long the server took to end the connection of `caller`, from `from` on.
  Duration ended_after(Caller& caller, Instant from) {
    const Instant limit = later(world.ring.now(), std::chrono::minutes(10));
    while (!caller.ended() && world.ring.now() < limit) world.run_for(milliseconds(10));
    return world.ring.now() - from;
  }
};

INSTANTIATE_TEST_SUITE_P(Seeds, ServerLimitsTest, testing::Range<uint64_t>(1, 7));

TEST_P(ServerLimitsTest, AHeadThatTakesTenSecondsIs408) {
  Caller& caller = world.connect();
  world.run_for(seconds(20));  // idle: no head has begun
  const Instant begun = world.ring.now();
  for (const char c : std::string_view("GET /l")) {
    caller.say({c});
    world.run_for(kShort);
  }
  const Duration took = ended_after(caller, begun);
  EXPECT_EQ(caller.answers().statuses(), "408") << "bytes now and then do not make it faster";
  EXPECT_GE(took, world.options.head_timeout) << "it had not had its time";
  EXPECT_LE(took, world.options.head_timeout + kShort) << "it had too much time";
}

TEST_P(ServerLimitsTest, ABodyThatStopsForThirtySecondsIs408) {
  Caller& caller = world.connect();
  caller.say(post({"X-Request-Id: mine\r\nContent-Length: 10\r\n\r\nhell"}));
  world.run_for(kShort);
  const Instant begun = world.ring.now();
  const Duration took = ended_after(caller, begun);
  ASSERT_EQ(caller.answers().statuses(), "408");
  EXPECT_EQ(caller.answers().list[0].headers.at("x-request-id"), "mine");
  EXPECT_GE(took, world.options.body_timeout - kShort) << "it had not had its time";
  EXPECT_LE(took, world.options.body_timeout + kShort) << "it had too much time";
  EXPECT_TRUE(world.handler.handled.empty()) << "half a request was handled";
}

TEST_P(ServerLimitsTest, ABodyThatGoesOnComingMayTakeLong) {
  Caller& caller = world.connect();
  caller.say(post({"Content-Length: 5\r\n\r\n"}));
  for (const char c : std::string_view("hello")) {
    world.run_for(world.options.body_timeout - kShort);
    caller.say({c});
  }
  world.run_for(kShort);
  EXPECT_EQ(caller.answers().statuses(), "200") << "it never stopped for its whole time";
}

TEST_P(ServerLimitsTest, AnIdleConnectionIsClosedInSilence) {
  Caller& caller = world.connect();
  caller.say(get({"\r\n"}));
  world.run_for(kShort);
  const Duration took = ended_after(caller, world.ring.now());
  EXPECT_EQ(caller.answers().statuses(), "200") << "something was said to nobody";
  EXPECT_GE(took, world.options.idle_timeout - kShort) << "it had not had its time";
  EXPECT_LE(took, world.options.idle_timeout + kShort) << "it had too much time";
}

// Old callers send one behind a body; it begins no request.
TEST_P(ServerLimitsTest, AnEmptyLineDoesNotBeginARequest) {
  Caller& caller = world.connect();
  caller.say(post({"Content-Length: 5\r\n\r\nhello\r\n"}));
  world.run_for(kShort);
  const Duration took = ended_after(caller, world.ring.now());
  EXPECT_EQ(caller.answers().statuses(), "200") << "an idle connection was told 408";
  EXPECT_GE(took, world.options.idle_timeout - kShort * 2) << "it had not had its time";
}

TEST_P(ServerLimitsTest, ABodyTooLargeByItsLengthIsRefusedWithoutStoringIt) {
  world.ring.faults() = test::FaultPlan{.piece_max = 64 * 1024};
  const size_t body_bytes = world.options.limits.body_bytes_max + 1;
  Caller& caller = world.connect();
  caller.say(post({"Content-Length: ", std::to_string(body_bytes), "\r\n\r\n"}));
  caller.say(std::string(body_bytes, 'x'));
  size_t held_max = 0;
  for (int i = 0; i < 3000 && !caller.ended(); ++i) {
    world.run_for(milliseconds(1));
    held_max = std::max(held_max, Buffer::bytes_held_by_thread());
  }
  EXPECT_EQ(caller.answers().statuses(), "413");
  EXPECT_FALSE(caller.broken()) << "the answer was lost in a reset";
  EXPECT_LE(held_max, 2U * 1024 * 1024) << "what was refused has been stored";
}

TEST_P(ServerLimitsTest, ABodyTooLargeByItsChunksIsRefused) {
  world.options.limits.body_bytes_max = 1000;
  Caller& caller = world.connect();
  const std::string chunk = "64\r\n" + std::string(100, 'x') + "\r\n";
  caller.say(test::chunked({test::repeat(chunk, 10), "1\r\nx\r\n0\r\n\r\n"}));
  Caller& lucky = world.connect();
  lucky.say(test::chunked({test::repeat(chunk, 10), "0\r\n\r\n"}));
  world.run_for(kShort);
  EXPECT_EQ(caller.answers().statuses(), "413") << "1001 bytes of 1000";
  EXPECT_EQ(lucky.answers().statuses(), "200") << "1000 bytes of 1000";
}

TEST_P(ServerLimitsTest, AReaderThatPausesGetsItsLargeAnswer) {
  Caller& caller = world.connect_deaf();
  caller.say("GET /big/2000000 HTTP/1.1\r\nHost: t\r\n\r\n");
  world.run_for(world.options.write_timeout - kShort);
  caller.start_reading();
  world.run_for(seconds(20));
  ASSERT_EQ(caller.answers().statuses(), "200");
  EXPECT_TRUE(caller.answers().list[0].body == test::pattern(2000000)) << "bytes were lost";
}

TEST_P(ServerLimitsTest, AReaderThatNeverReadsIsGivenUp) {
  Caller& caller = world.connect_deaf();
  caller.say("GET /big/2000000 HTTP/1.1\r\nHost: t\r\n\r\n");
  world.run_for(world.options.write_timeout - kShort);
  EXPECT_FALSE(world.last_connection_served()) << "it was given up too early";
  world.run_for(kShort * 4);
  EXPECT_TRUE(world.last_connection_served()) << "it holds two megabytes for ever";
}

TEST_P(ServerLimitsTest, WhatALengthPromisesIsNotPaidForInAdvance) {
  constexpr size_t kCallers = 50;
  for (size_t i = 0; i < kCallers; ++i) {
    world.connect().say(post({"Content-Length: 16777216\r\n\r\n"}));
  }
  world.run_for(kShort);
  EXPECT_LE(Buffer::bytes_held_by_thread(), kCallers * 64 * 1024) << "a flood of heads is enough";
}

TEST_P(ServerLimitsTest, AFloodBehindARequestInProgressIsNotStored) {
  constexpr size_t kRequests = 300;
  const std::string body(4000, 'x');
  world.ring.faults() = test::FaultPlan{};
  world.handler.hold();
  Caller& caller = world.connect();
  for (size_t i = 0; i < kRequests; ++i) {
    caller.say(post({"Content-Length: 4000\r\n\r\n", body}));
  }
  world.run_for(seconds(10));
  EXPECT_EQ(world.handler.handled.size(), 1U) << "the second did not wait for the first";
  EXPECT_LE(Buffer::bytes_held_by_thread(), 512U * 1024) << "a megabyte of requests is stored";
  const auto answered = [&] { return world.handler.handled.size() == kRequests; };
  for (int i = 0; i < 10'000 && !answered(); ++i) {
    world.handler.release();
    world.run_for(milliseconds(5));
  }
  world.handler.release();
  world.run_for(kShort);
  EXPECT_EQ(caller.answers().list.size(), kRequests) << "reading did not go on";
}

}  // namespace
}  // namespace fnkit
