// A call is sent at most once, with two exceptions: CONTRACT section 5, HTTP.md 6.2.
#include <gtest/gtest.h>

#include "unit/http/function_world.hpp"

namespace fnkit {
namespace {

using test::FunctionWorld;

class ClientRepeatTest : public testing::TestWithParam<uint64_t> {
 protected:
  FunctionWorld world_{GetParam()};

  // A connection that has carried one call and is idle now: peer 0.
  void use_one_connection() {
    FunctionWorld::Call& first = world_.post("first");
    ASSERT_TRUE(world_.run_until_asked("first"));
    world_.answer(0, "1");
    ASSERT_TRUE(world_.run_until_done(first));
    ASSERT_EQ(first.text(), "200 1");
  }

  // `call` is answered on the connection that the function accepted as `index`.
  void expect_answer(FunctionWorld::Call& call, size_t index) {
    ASSERT_TRUE(world_.run_until([&] {
      return world_.accepted() > index && world_.peer(index).heard().ends_with("\r\n\r\n");
    }));
    world_.answer(index, "late");
    ASSERT_TRUE(world_.run_until_done(call));
    EXPECT_EQ(call.text(), "200 late");
  }

  void expect_broken(FunctionWorld::Call& call) {
    ASSERT_TRUE(world_.run_until_done(call));
    EXPECT_TRUE(call.text().starts_with("broken: the connection ended before")) << call.text();
    world_.settle();
  }
};

TEST_P(ClientRepeatTest, NothingOfItHadBeenAcceptedSoItGoesOutAgain) {
  use_one_connection();
  world_.ring.faults().send_fails = 100;
  FunctionWorld::Call& call = world_.post("again");
  ASSERT_TRUE(world_.run_until([&] { return world_.peer(0).ended(); }));
  world_.ring.faults().send_fails = 0;
  expect_answer(call, 1);
  EXPECT_EQ(world_.asked("again"), 1U);
}

TEST_P(ClientRepeatTest, NothingIsAcceptedASecondTimeSoItIsGivenUp) {
  use_one_connection();
  world_.ring.faults().send_fails = 100;
  FunctionWorld::Call& call = world_.get("again");
  expect_broken(call);
  EXPECT_EQ(world_.accepted(), 2U);
  EXPECT_EQ(world_.asked("again"), 0U);
}

TEST_P(ClientRepeatTest, ANewConnectionThatEndsUnansweredIsBroken) {
  FunctionWorld::Call& call = world_.get("once");  // may be repeated, but the function is at fault
  ASSERT_TRUE(world_.run_until_asked("once"));
  world_.reset(0);
  expect_broken(call);
  EXPECT_EQ(world_.accepted(), 1U);
}

TEST_P(ClientRepeatTest, OnAUsedConnectionAPostIsNotSentTwice) {
  use_one_connection();
  FunctionWorld::Call& call = world_.post("once");
  ASSERT_TRUE(world_.run_until_asked("once"));
  world_.reset(0);
  expect_broken(call);
  EXPECT_EQ(world_.asked("once"), 1U);
  EXPECT_EQ(world_.accepted(), 1U);
}

TEST_P(ClientRepeatTest, OnAUsedConnectionAnIdempotentCallIsRepeatedOnceOnANewOne) {
  use_one_connection();
  FunctionWorld::Call& call = world_.get("repeated");
  ASSERT_TRUE(world_.run_until_asked("repeated"));
  world_.reset(0);
  expect_answer(call, 1);
  EXPECT_EQ(world_.asked("repeated"), 2U);
}

TEST_P(ClientRepeatTest, ARepeatedCallIsNotRepeatedAgain) {
  use_one_connection();
  FunctionWorld::Call& call = world_.get("repeated");
  ASSERT_TRUE(world_.run_until_asked("repeated"));
  world_.reset(0);
  ASSERT_TRUE(world_.run_until([&] { return world_.asked("repeated") == 2; }));
  world_.reset(1);
  expect_broken(call);
  EXPECT_EQ(world_.accepted(), 2U);
}

TEST_P(ClientRepeatTest, APartlyAnsweredCallIsNotRepeated) {
  use_one_connection();
  FunctionWorld::Call& call = world_.get("once");
  ASSERT_TRUE(world_.run_until_asked("once"));
  world_.peer(0).say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  world_.settle();
  world_.reset(0);
  expect_broken(call);
  EXPECT_EQ(world_.accepted(), 1U);
  EXPECT_EQ(world_.asked("once"), 1U);
}

TEST_P(ClientRepeatTest, AnAnswerCutOffByAnOrderlyEndIsNoAnswer) {
  FunctionWorld::Call& call = world_.get("once");
  ASSERT_TRUE(world_.run_until_asked("once"));
  world_.peer(0).say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  world_.settle();
  world_.close(0);
  ASSERT_TRUE(world_.run_until_done(call));
  EXPECT_EQ(call.text(), "protocol: the connection ended before the answer did");
}

// The other calls' connections were used before as well, so none of them is the new one.
TEST_P(ClientRepeatTest, TheRepetitionGoesOutOnANewConnectionAlsoWhereAllAreTaken) {
  world_.options.connections_max = 2;
  FunctionWorld::Call& one = world_.post("one");
  ASSERT_TRUE(world_.run_until_asked("one"));
  FunctionWorld::Call& other = world_.post("other");
  ASSERT_TRUE(world_.run_until_asked("other"));
  world_.answer(1, "2");
  ASSERT_TRUE(world_.run_until_done(other));
  world_.answer(0, "1");
  ASSERT_TRUE(world_.run_until_done(one));

  FunctionWorld::Call& repeated = world_.get("repeated");
  ASSERT_TRUE(world_.run_until_asked("repeated"));
  world_.post("busy");
  ASSERT_TRUE(world_.run_until_asked("busy"));
  FunctionWorld::Call& waiting = world_.post("waiting");
  world_.reset(0);
  world_.answer(1, "busy");
  expect_answer(repeated, 2);
  ASSERT_TRUE(world_.run_until_asked("waiting"));
  EXPECT_EQ(waiting.text(), "pending");
}

TEST_P(ClientRepeatTest, OnAUsedConnectionAPostOfWhichOnlyAPartWasSentIsNotSentAgain) {
  use_one_connection();
  FunctionWorld::Call& call = world_.post("once", FunctionWorld::kPatient, 1024 * 1024);
  ASSERT_TRUE(world_.run_until_asked("once"));
  ASSERT_LT(world_.peer(0).heard().size(), 1024U * 1024U);
  world_.reset(0);
  expect_broken(call);
  EXPECT_EQ(world_.accepted(), 1U);
}

TEST_P(ClientRepeatTest, WhereNoNewConnectionCanBeHadItsPlaceIsFree) {
  world_.options.connections_max = 1;
  use_one_connection();
  FunctionWorld::Call& call = world_.get("repeated");
  ASSERT_TRUE(world_.run_until_asked("repeated"));
  world_.ring.faults().connect_refused = 100;
  world_.reset(0);
  ASSERT_TRUE(world_.run_until_done(call));
  EXPECT_EQ(call.text(), "unreachable: connect to 10.0.0.1:8080: Connection refused");
  world_.ring.faults().connect_refused = 0;
  world_.settle();  // for a moment the address is left out
  world_.post("next");
  ASSERT_TRUE(world_.run_until_asked("next"));
}

// The call has been handed over, but not a byte of it has left: what comes is not its answer.
TEST_P(ClientRepeatTest, WhatComesBeforeAByteOfItWasTakenIsNotItsAnswer) {
  use_one_connection();
  world_.ring.freeze(world_.socket_of(0));
  world_.answer(0, "out of the blue");
  world_.settle();
  world_.ring.faults().socket_bytes = 0;
  FunctionWorld::Call& call = world_.post("once");
  world_.run_for(std::chrono::milliseconds(10));
  world_.ring.thaw(world_.socket_of(0));
  ASSERT_TRUE(world_.run_until([&] { return world_.pool().counts().repeated == 1; }));
  world_.ring.faults().socket_bytes = 64 * 1024;
  expect_answer(call, 1);
  EXPECT_EQ(world_.asked("once"), 1U);
}

// What ended one, a restart say, has most likely ended the others too.
TEST_P(ClientRepeatTest, TheFreeConnectionsAreGivenUpWithTheOneThatBroke) {
  FunctionWorld::Call& one = world_.post("one");
  ASSERT_TRUE(world_.run_until_asked("one"));
  FunctionWorld::Call& other = world_.post("other");
  ASSERT_TRUE(world_.run_until_asked("other"));
  world_.answer(0, "1");
  world_.answer(1, "2");
  ASSERT_TRUE(world_.run_until([&] { return one.done() && other.done(); }));
  FunctionWorld::Call& repeated = world_.get("repeated");
  ASSERT_TRUE(world_.run_until_asked("repeated"));
  const size_t on = world_.asked_on("repeated");
  const Instant broken = world_.ring.now();
  world_.reset(on);
  ASSERT_TRUE(world_.run_until([&] { return world_.peer(1 - on).ended(); }));
  EXPECT_LT(world_.ring.now(), later(broken, std::chrono::milliseconds(100)));
  expect_answer(repeated, 2);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ClientRepeatTest, testing::Range<uint64_t>(1, 13));

}  // namespace
}  // namespace fnkit
