// Calls that wait for a connection, and answers for which there is no memory.
#include <gtest/gtest.h>

#include <limits>

#include "unit/http/function_world.hpp"

namespace fnkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FaultPlan;
using test::FunctionWorld;
using test::ok;
using Call = FunctionWorld::Call;

class ClientWaitingTest : public testing::TestWithParam<uint64_t> {
 protected:
  void use_one_connection() {
    Call& first = world_.post("first");
    ASSERT_TRUE(world_.run_until_asked("first"));
    world_.answer(0, "1");
    ASSERT_TRUE(world_.run_until_done(first));
  }

  FunctionWorld world_{GetParam()};
};

TEST_P(ClientWaitingTest, AConnectionMustBecomeFreeWithinTheConnectLimit) {
  world_.options.connections_max = 1;
  world_.post("busy");
  const Instant begun = world_.ring.now();
  Call& waiting = world_.post("waiting", seconds(60));
  ASSERT_TRUE(world_.run_until_done(waiting));
  EXPECT_EQ(waiting.text(), "no connection: no connection became free in time");
  EXPECT_GE(waiting.ended, later(begun, seconds(5)));
  EXPECT_LT(waiting.ended, later(begun, milliseconds(5010)));
  EXPECT_EQ(world_.asked("waiting"), 0U);
}

TEST_P(ClientWaitingTest, OnceItHasAConnectionOnlyItsDeadlineCounts) {
  world_.options.connections_max = 1;
  Call& busy = world_.post("busy");
  const Instant begun = world_.ring.now();
  Call& waiting = world_.post("waiting", seconds(8));
  world_.run_for(seconds(4));
  world_.answer(0, "1");
  ASSERT_TRUE(world_.run_until_done(busy));
  ASSERT_TRUE(world_.run_until_done(waiting));
  EXPECT_EQ(waiting.text(), "timeout: no complete answer in time");
  EXPECT_GE(waiting.ended, later(begun, seconds(8)));
}

TEST_P(ClientWaitingTest, TheyAreServedInTheOrderInWhichTheyCame) {
  world_.options.connections_max = 1;
  world_.options.waiting_max = 6;
  std::vector<Call*> calls;
  for (size_t i = 0; i < 7; ++i) calls.push_back(&world_.post("n" + std::to_string(i)));
  Call& too_many = world_.post("too-many");
  EXPECT_EQ(too_many.text(), "too many waiting: too many calls wait for a connection");
  for (size_t i = 0; i < 7; ++i) {
    ASSERT_TRUE(world_.run_until_asked("n" + std::to_string(i)));
    world_.settle();
    EXPECT_EQ(world_.asked("n" + std::to_string(i + 1)), 0U);
    world_.answer(0, std::to_string(i));
    ASSERT_TRUE(world_.run_until_done(*calls[i]));
    EXPECT_EQ(calls[i]->text(), "200 " + std::to_string(i));
  }
  EXPECT_EQ(world_.accepted(), 1U);
}

TEST_P(ClientWaitingTest, WhatGoesOnComesBeforeWhatBegins) {
  world_.options.connections_max = 1;
  world_.post("busy");
  ASSERT_TRUE(world_.run_until_asked("busy"));
  world_.post("begins");
  world_.call("goes-on", {.continues = true});
  world_.call("too", {.continues = true});
  for (const std::string name : {"goes-on", "too", "begins"}) {
    EXPECT_EQ(world_.asked(name), 0U);
    world_.answer(0, "ok");
    ASSERT_TRUE(world_.run_until_asked(name));
  }
  world_.answer(0, "ok");
}

// What was begun is not for nothing: under too much load nothing else would ever come to its end.
TEST_P(ClientWaitingTest, WhereTooManyWaitTheNewestThatBeginsGivesWayToWhatGoesOn) {
  world_.options.connections_max = 1;
  world_.options.waiting_max = 2;
  world_.post("busy");
  ASSERT_TRUE(world_.run_until_asked("busy"));
  const Call& older = world_.post("older");
  const Call& newer = world_.post("newer");
  const Call& goes_on = world_.call("goes-on", {.continues = true});
  world_.settle();
  EXPECT_EQ(newer.text(), "too many waiting: too many calls wait for a connection");
  const Call& too = world_.call("too", {.continues = true});
  world_.settle();
  EXPECT_EQ(older.text(), "too many waiting: too many calls wait for a connection");
  const Call& third = world_.call("third", {.continues = true});
  EXPECT_EQ(third.text(), "too many waiting: too many calls wait for a connection");
  world_.answer(0, "ok");
  ASSERT_TRUE(world_.run_until_asked("goes-on"));
  world_.answer(0, "ok");
  ASSERT_TRUE(world_.run_until_asked("too"));
  world_.answer(0, "ok");
  ASSERT_TRUE(world_.run_until_done(too));
  EXPECT_EQ(goes_on.text() + ", " + too.text(), "200 ok, 200 ok");
}

TEST_P(ClientWaitingTest, ARepeatedCallComesFirst) {
  world_.options.connections_max = 1;
  use_one_connection();
  Call& repeated = world_.get("repeated");
  ASSERT_TRUE(world_.run_until_asked("repeated"));
  Call& waiting = world_.get("waiting");
  world_.reset(0);
  ASSERT_TRUE(world_.run_until([&] { return world_.asked("repeated") == 2; }));
  world_.settle();
  EXPECT_EQ(world_.asked("waiting"), 0U);
  world_.answer(1, "again");
  ASSERT_TRUE(world_.run_until_done(repeated));
  ASSERT_TRUE(world_.run_until_asked("waiting"));
  world_.answer(1, "waited");
  ASSERT_TRUE(world_.run_until_done(waiting));
  EXPECT_EQ(repeated.text() + ", " + waiting.text(), "200 again, 200 waited");
}

// It needs a new one, which may take its time; the others do not.
TEST_P(ClientWaitingTest, NoCallWaitsWhileAConnectionIsFree) {
  world_.options.connections_max = 2;
  use_one_connection();
  Call& repeated = world_.get("repeated");
  ASSERT_TRUE(world_.run_until_asked("repeated"));
  Call& other = world_.post("other");
  ASSERT_TRUE(world_.run_until_asked("other"));
  world_.ring.faults().connect_lost = 100;
  world_.reset(0);
  world_.settle();
  ASSERT_EQ(repeated.text(), "pending");
  world_.answer(1, "1");
  ASSERT_TRUE(world_.run_until_done(other));
  const Instant begun = world_.ring.now();
  world_.post("next");
  ASSERT_TRUE(world_.run_until_asked("next"));
  EXPECT_LT(world_.ring.now(), later(begun, milliseconds(100)));
  EXPECT_EQ(world_.asked_on("next"), 1U);
}

// Where calls share, a connection is never free, unless those who come later wait their turn.
TEST_P(ClientWaitingTest, ACallThatSharesWithNobodyIsServedAmongThoseThatDo) {
  world_.options.connections_max = 1;
  world_.options.pipelining_trust = 20;
  world_.options.pipelining_wait = seconds(1);
  world_.earn_trust();
  world_.answer_by_itself(milliseconds(3));
  world_.post("first");
  world_.post("second");
  Call& alone = world_.call("alone", {.may_share = false});
  for (int i = 0; i < 50 && !alone.done(); ++i) {
    world_.post("later");
    world_.run_for(milliseconds(2));
  }
  EXPECT_EQ(alone.text(), "200 alone");
}

// ---- memory

class ClientHeldTest : public testing::TestWithParam<uint64_t> {
 protected:
  ~ClientHeldTest() override { Buffer::limit_thread(std::numeric_limits<size_t>::max()); }

  FunctionWorld world_{GetParam()};
};

TEST_P(ClientHeldTest, AnAnswerThatGrowsPastTheBudgetIsGivenUpAndItsMemoryComesBack) {
  const std::string_view framings[] = {"Content-Length: 4000000\r\n\r\n", "\r\n",
                                       "Transfer-Encoding: chunked\r\n\r\n3d0900\r\n"};
  for (const std::string_view framing : framings) {
    SCOPED_TRACE(framing);
    Buffer::limit_thread(Buffer::bytes_held_by_thread() + 1'000'000);
    Call& call = world_.post("large");
    const size_t asked = world_.asked("large");
    ASSERT_TRUE(world_.run_until([&] { return world_.asked("large") > asked; }));
    const size_t on = world_.asked_on("large");
    world_.peer(on).say("HTTP/1.1 200 OK\r\n" + std::string(framing) + std::string(900'000, 'x'));
    ASSERT_TRUE(world_.run_until_done(call));
    EXPECT_EQ(call.text(), "too much held: too many bytes are held for messages");
    world_.settle();
    EXPECT_TRUE(world_.peer(on).ended());
    EXPECT_LT(Buffer::bytes_held_by_thread(), 100'000U);
  }
}

TEST_P(ClientHeldTest, AnAnswerWithinTheBudgetIsTaken) {
  Buffer::limit_thread(4'000'000);
  Call& call = world_.post("large");
  ASSERT_TRUE(world_.run_until_asked("large"));
  world_.answer(0, std::string(900'000, 'x'));
  ASSERT_TRUE(world_.run_until_done(call));
  EXPECT_EQ(call.text().substr(0, 10), "200 xxxxxx");
}

// What this core lacks is not the function's fault.
TEST_P(ClientHeldTest, ItCostsTheFunctionNoTrust) {
  world_.options.pipelining_trust = 20;
  world_.options.pipelining_wait = seconds(1);
  world_.earn_trust();
  Buffer::limit_thread(Buffer::bytes_held_by_thread() + 1'000'000);
  Call& call = world_.post("large");
  ASSERT_TRUE(world_.run_until_asked("large"));
  world_.peer(0).say("HTTP/1.1 200 OK\r\n\r\n" + std::string(900'000, 'x'));
  ASSERT_TRUE(world_.run_until_done(call));
  EXPECT_EQ(call.text().substr(0, 14), "too much held:");
  Buffer::limit_thread(std::numeric_limits<size_t>::max());
  world_.answer_by_itself();
  ASSERT_TRUE(world_.run_until_done(world_.post("one")));
  world_.post("a");
  world_.post("b");
  EXPECT_EQ(world_.pool().counts().shared, 1U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ClientWaitingTest, testing::Range<uint64_t>(1, 9));
INSTANTIATE_TEST_SUITE_P(Seeds, ClientHeldTest, testing::Range<uint64_t>(1, 5));

}  // namespace
}  // namespace fnkit
