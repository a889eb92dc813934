// What becomes of the calls that share a connection when it ends: the table of
// client_connection.hpp, CONTRACT section 5, HTTP.md U31 to U33.
#include <gtest/gtest.h>

#include "unit/http/function_world.hpp"

namespace fnkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FunctionWorld;
using test::ok;
using Call = FunctionWorld::Call;

constexpr std::string_view kBehind =
    "broken: the connection ended before the answers before it had come";

// On a network that cuts and delays, so sharing may cost more here.
class ClientLineEndsTest : public testing::TestWithParam<uint64_t> {
 protected:
  ClientLineEndsTest() {
    world_.options.pipelining_trust = 20;
    world_.options.pipelining_wait = seconds(1);
    world_.earn_trust();
  }

  // Calls in line on peer 0.
  void line_up(std::initializer_list<std::string_view> methods, size_t body_bytes = 0) {
    for (const std::string_view method : methods) {
      calls_.push_back(&world_.call("call" + std::to_string(calls_.size()),
                                    {.method = method, .body_bytes = body_bytes}));
    }
  }
  void line_up_and_await(std::initializer_list<std::string_view> methods) {
    line_up(methods);
    ASSERT_TRUE(world_.run_until_asked("call" + std::to_string(methods.size() - 1)));
    ASSERT_EQ(world_.accepted(), 1U);
  }
  Call& call(size_t index) { return *calls_.at(index); }
  size_t asked(size_t index) { return world_.asked("call" + std::to_string(index)); }
  void expect_done(size_t index, std::string_view text) {
    ASSERT_TRUE(world_.run_until_done(call(index))) << index;
    EXPECT_EQ(call(index).text(), text) << index;
  }
  // Asked for again, on a connection that it shares with nobody, and answered there.
  void expect_repeated(size_t index, size_t before = 1) {
    const std::string name = "call" + std::to_string(index);
    ASSERT_TRUE(world_.run_until([&] { return asked(index) == before + 1; })) << index;
    const size_t on = world_.asked_on(name);
    ASSERT_GT(on, 0U);
    const std::string bytes = call(index).head + call(index).body;
    ASSERT_TRUE(world_.run_until([&] { return world_.peer(on).heard().ends_with(bytes); }));
    EXPECT_EQ(world_.peer(on).heard(), bytes) << "it is not alone";
    world_.answer(on, "again " + std::to_string(index));
    expect_done(index, "200 again " + std::to_string(index));
  }
  // None is shared at once, and after a second (`after`) some are again.
  void expect_pause(seconds after) {
    const Instant broken = world_.ring.now();
    const uint64_t shared = world_.pool().counts().shared;
    world_.earn_trust();
    EXPECT_FALSE(two_share());
    world_.run_for(broken + after - milliseconds(100) - world_.ring.now());
    EXPECT_FALSE(two_share());
    EXPECT_EQ(world_.pool().counts().shared, shared);
    world_.run_for(broken + after + milliseconds(100) - world_.ring.now());
    EXPECT_TRUE(two_share());
  }
  bool two_share() {
    world_.answer_by_itself();
    const Call& warm = world_.post("warm");
    EXPECT_TRUE(world_.run_until_done(warm));
    const uint64_t before = world_.pool().counts().shared;
    const Call& one = world_.post("one");
    const Call& other = world_.post("other");
    EXPECT_TRUE(world_.run_until([&] { return one.done() && other.done(); }));
    EXPECT_EQ(one.text() + ", " + other.text(), "200 one, 200 other");
    world_.answer_no_more();
    return world_.pool().counts().shared > before;
  }

  FunctionWorld world_{GetParam()};
  std::vector<Call*> calls_;
};

TEST_P(ClientLineEndsTest, BehindTheFirstAnswerPostsAreBrokenAtOnceAndNotSentAgain) {
  line_up_and_await({"POST", "POST", "POST"});
  world_.answer(0, "first");
  expect_done(0, "200 first");
  world_.reset(0);
  const Instant broken = world_.ring.now();
  expect_done(1,
              "broken: the connection ended before an answer came "
              "(receive: Connection reset by peer)");
  expect_done(2, kBehind);
  EXPECT_LT(call(2).ended, later(broken, milliseconds(50)));
  world_.settle();
  EXPECT_EQ(std::to_string(asked(0)) + std::to_string(asked(1)) + std::to_string(asked(2)), "111");
  EXPECT_EQ(world_.accepted(), 1U);
}

TEST_P(ClientLineEndsTest, BehindTheFirstAnswerIdempotentCallsAreRepeatedOnceEachAlone) {
  line_up_and_await({"GET", "GET", "GET"});
  world_.answer(0, "first");
  expect_done(0, "200 first");
  GetParam() % 2 == 0 ? world_.reset(0) : world_.peer(0).say_no_more();
  expect_repeated(1);
  expect_repeated(2);
  EXPECT_NE(world_.asked_on("call1"), world_.asked_on("call2"));
  EXPECT_EQ(std::to_string(asked(0)) + std::to_string(asked(1)) + std::to_string(asked(2)), "122");
  EXPECT_EQ(world_.pool().counts().repeated, 2U);
}

TEST_P(ClientLineEndsTest, BeforeAnyAnswerEachIsJudgedByItself) {
  line_up_and_await({"POST", "GET", "POST", "GET"});
  GetParam() % 2 == 0 ? world_.reset(0) : world_.peer(0).say_no_more();
  ASSERT_TRUE(world_.run_until_done(call(0)));
  EXPECT_TRUE(call(0).text().starts_with("broken: the connection ended before an answer came"));
  expect_done(2, kBehind);
  expect_repeated(1);
  expect_repeated(3);
  EXPECT_EQ(asked(0) + asked(2), 2U);
}

TEST_P(ClientLineEndsTest, WithinAnAnswerOnlyThoseBehindItMayBeRepeated) {
  line_up_and_await({"GET", "GET", "POST"});
  world_.peer(0).say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  world_.settle();
  world_.reset(0);
  expect_done(0,
              "broken: the connection ended before the answer did "
              "(receive: Connection reset by peer)");
  expect_done(2, kBehind);
  expect_repeated(1);
  EXPECT_EQ(asked(0), 1U);
}

TEST_P(ClientLineEndsTest, ARepeatedCallOfALineIsNotRepeatedAgain) {
  line_up_and_await({"GET", "GET"});
  world_.reset(0);
  for (const size_t index : {0UL, 1UL}) {
    ASSERT_TRUE(world_.run_until([&] { return asked(index) == 2; }));
    world_.reset(world_.asked_on("call" + std::to_string(index)));
    ASSERT_TRUE(world_.run_until_done(call(index)));
    EXPECT_TRUE(call(index).text().starts_with("broken: the connection ended before an answer"));
  }
  world_.settle();
  EXPECT_EQ(asked(0) + asked(1), 4U);
}

// The send of the line finds the connection dead: none of it was accepted.
TEST_P(ClientLineEndsTest, WhatWasGatheredAndNotTakenGoesOutAgain) {
  line_up({"POST", "GET", "POST"});
  world_.ring.faults().send_fails = 100;
  ASSERT_TRUE(world_.run_until([&] { return world_.peer(0).ended(); }));
  world_.ring.faults().send_fails = 0;
  for (const size_t index : {0UL, 1UL, 2UL}) expect_repeated(index, 0);
  EXPECT_EQ(asked(0) + asked(1) + asked(2), 3U);
}

// Its end was seen in the turn in which they were gathered, before they were handed over.
TEST_P(ClientLineEndsTest, WhatWasGatheredAndNotHandedOverGoesOutAgain) {
  world_.reset(0);
  line_up({"POST", "POST"});
  for (const size_t index : {0UL, 1UL}) expect_repeated(index, 0);
  EXPECT_EQ(asked(0) + asked(1), 2U);
}

// The function's socket takes no more after a part of the second.
TEST_P(ClientLineEndsTest, OfASendOfWhichAPartWasTakenOnlyTheUntakenGoOutAgain) {
  world_.ring.freeze(world_.socket_of(0));
  world_.ring.faults().short_sends = 0;
  world_.ring.faults().socket_bytes = 3000;
  line_up({"POST", "POST", "POST", "GET"}, 2000);
  world_.settle();
  world_.reset(0);
  ASSERT_TRUE(world_.run_until_done(call(0)));
  EXPECT_TRUE(call(0).text().starts_with("broken: the connection ended before an answer came"));
  expect_done(1, kBehind);
  world_.ring.faults().socket_bytes = 64 * 1024;
  expect_repeated(2, 0);
  expect_repeated(3, 0);
  EXPECT_EQ(asked(0) + asked(1), 0U) << "the function got what was lost on its way";
}

// HTTP.md U33.
TEST_P(ClientLineEndsTest, ConnectionCloseEndsTheLineThere) {
  line_up_and_await({"POST", "POST", "GET", "POST"});
  world_.peer(0).say(ok("first") + ok("second", "Connection: close\r\n") + ok("third"));
  expect_done(0, "200 first");
  expect_done(1, "200 second");
  expect_done(3, kBehind);
  expect_repeated(2);
  EXPECT_EQ(asked(3), 1U);
}

TEST_P(ClientLineEndsTest, AnAnswerThatIsNoHttpEndsTheLineThere) {
  line_up_and_await({"GET", "GET", "POST"});
  world_.peer(0).say("HTTP/1.1 abc\r\n\r\n" + ok("second"));
  ASSERT_TRUE(world_.run_until_done(call(0)));
  EXPECT_TRUE(call(0).text().starts_with("protocol: ")) << call(0).text();
  expect_done(2, kBehind);
  expect_repeated(1);
  EXPECT_EQ(asked(0), 1U);
}

TEST_P(ClientLineEndsTest, AnswersThatCameBeforeTheEndStand) {
  line_up_and_await({"POST", "POST", "POST"});
  world_.peer(0).say(ok("first") + ok("second"));
  world_.peer(0).say_no_more();
  expect_done(0, "200 first");
  expect_done(1, "200 second");
  expect_done(2, "broken: the connection ended before an answer came");
}

TEST_P(ClientLineEndsTest, TooManyAnswersEndTheConnectionAndTheNextCallIsNotGivenThem) {
  line_up_and_await({"POST", "POST"});
  world_.peer(0).say(ok("first") + ok("second") + ok("third"));
  expect_done(0, "200 first");
  expect_done(1, "200 second");
  world_.settle();
  EXPECT_TRUE(world_.peer(0).ended());
  Call& next = world_.post("next");
  ASSERT_TRUE(world_.run_until_asked("next"));
  world_.answer(world_.asked_on("next"), "its own");
  ASSERT_TRUE(world_.run_until_done(next));
  EXPECT_EQ(next.text(), "200 its own");
}

TEST_P(ClientLineEndsTest, NoneShareForAWhileThatGrowsWithEachBreak) {
  for (const seconds pause : {seconds(1), seconds(2), seconds(4)}) {
    ASSERT_TRUE(two_share());
    const uint64_t shared = world_.pool().counts().shared;
    const std::string name = "last" + std::to_string(pause.count());
    Call& one = world_.post("one");
    Call& other = world_.post(name);
    ASSERT_EQ(world_.pool().counts().shared, shared + 1);
    ASSERT_TRUE(world_.run_until_asked(name));
    world_.reset(world_.asked_on(name));
    ASSERT_TRUE(world_.run_until([&] { return one.done() && other.done(); }));
    expect_pause(pause);
  }
}

// One of two had its answer when it broke.
TEST_P(ClientLineEndsTest, NoneShareForAWhileAlsoWhereOnlyOneWasLeftInLine) {
  line_up_and_await({"POST", "POST"});
  world_.answer(0, "first");
  expect_done(0, "200 first");
  world_.reset(0);
  ASSERT_TRUE(world_.run_until_done(call(1)));
  world_.earn_trust();
  EXPECT_FALSE(two_share());
}

// The one that has waited longest first.
TEST_P(ClientLineEndsTest, WhatGoesOutAgainDoesSoInItsOrder) {
  world_.options.connections_max = 1;
  line_up_and_await({"GET", "GET", "GET"});
  const Call& later_one = world_.call("later", {.may_share = false});
  world_.reset(0);
  for (const size_t index : {0UL, 1UL, 2UL}) {
    EXPECT_EQ(world_.asked("later"), 0U);
    ASSERT_TRUE(world_.run_until([&] { return asked(0) + asked(1) + asked(2) == 4 + index; }));
    ASSERT_EQ(asked(index), 2U) << index;
    world_.peer(world_.accepted() - 1).say(ok("again", "Connection: close\r\n"));
    expect_done(index, "200 again");
  }
  ASSERT_TRUE(world_.run_until_asked("later"));
  EXPECT_FALSE(later_one.done());
}

INSTANTIATE_TEST_SUITE_P(Seeds, ClientLineEndsTest, testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace fnkit
