// How calls and connections to a function come together: CONTRACT section 5.
#include <gtest/gtest.h>

#include "unit/http/function_world.hpp"

namespace fnkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FaultPlan;
using test::FunctionWorld;

// Each story under several seeds: other cuts of all bytes, other delays.
class ClientPoolTest : public testing::TestWithParam<uint64_t> {
 protected:
  FunctionWorld world_{GetParam()};

  // A connection that has carried one call and is idle now.
  void use_one_connection() {
    FunctionWorld::Call& first = world_.post("first");
    ASSERT_TRUE(world_.run_until_asked("first"));
    world_.answer(world_.accepted() - 1, "1");
    ASSERT_TRUE(world_.run_until_done(first));
    ASSERT_EQ(first.text(), "200 1");
  }
};

TEST_P(ClientPoolTest, AConnectionIsUsedAgain) {
  use_one_connection();
  FunctionWorld::Call& second = world_.post("second");
  ASSERT_TRUE(world_.run_until_asked("second"));
  world_.answer(0, "2");
  ASSERT_TRUE(world_.run_until_done(second));
  EXPECT_EQ(second.text(), "200 2");
  EXPECT_EQ(world_.accepted(), 1U);
}

TEST_P(ClientPoolTest, OfSeveralIdleOnesTheLastUsedComesFirst) {
  FunctionWorld::Call& early = world_.post("early");
  ASSERT_TRUE(world_.run_until_asked("early"));
  FunctionWorld::Call& late = world_.post("late");
  ASSERT_TRUE(world_.run_until_asked("late"));
  world_.answer(1, "late");
  ASSERT_TRUE(world_.run_until_done(late));
  world_.answer(0, "early");
  ASSERT_TRUE(world_.run_until_done(early));
  EXPECT_EQ(early.text() + ", " + late.text(), "200 early, 200 late");
  world_.post("third");
  ASSERT_TRUE(world_.run_until_asked("third"));
  EXPECT_NE(world_.peer(0).heard().find("/third"), std::string::npos);
  world_.post("fourth");
  ASSERT_TRUE(world_.run_until_asked("fourth"));
  EXPECT_NE(world_.peer(1).heard().find("/fourth"), std::string::npos);
  EXPECT_EQ(world_.accepted(), 2U);
}

TEST_P(ClientPoolTest, AnIdleConnectionThatItsFunctionEndsIsNotUsedAgain) {
  use_one_connection();
  world_.close(0);
  world_.settle();
  FunctionWorld::Call& second = world_.post("second");
  ASSERT_TRUE(world_.run_until_asked("second"));
  world_.answer(1, "2");
  ASSERT_TRUE(world_.run_until_done(second));
  EXPECT_EQ(second.text(), "200 2");
}

// RFC 9112 section 9.2; HTTP.md U15.
TEST_P(ClientPoolTest, AnAnswerThatNobodyAskedForIsGivenToNobody) {
  use_one_connection();
  world_.answer(0, "out of the blue");
  world_.settle();
  FunctionWorld::Call& second = world_.post("second");
  ASSERT_TRUE(world_.run_until_asked("second"));
  ASSERT_EQ(world_.accepted(), 2U);
  EXPECT_TRUE(world_.peer(0).ended());
  world_.answer(1, "2");
  ASSERT_TRUE(world_.run_until_done(second));
  EXPECT_EQ(second.text(), "200 2");
}

TEST_P(ClientPoolTest, AnAnswerThatComesTwiceIsTakenOnce) {
  FunctionWorld::Call& first = world_.post("first");
  ASSERT_TRUE(world_.run_until_asked("first"));
  world_.peer(0).say(test::ok("1") + test::ok("again"));
  ASSERT_TRUE(world_.run_until_done(first));
  EXPECT_EQ(first.text(), "200 1");
  world_.settle();
  FunctionWorld::Call& second = world_.post("second");
  ASSERT_TRUE(world_.run_until_asked("second"));
  ASSERT_EQ(world_.accepted(), 2U);
  world_.answer(1, "2");
  ASSERT_TRUE(world_.run_until_done(second));
  EXPECT_EQ(second.text(), "200 2");
}

TEST_P(ClientPoolTest, ConnectionCloseIsObeyed) {
  FunctionWorld::Call& first = world_.post("first");
  ASSERT_TRUE(world_.run_until_asked("first"));
  world_.peer(0).say(test::ok("1", "Connection: close\r\n"));
  ASSERT_TRUE(world_.run_until_done(first));
  world_.post("second");
  ASSERT_TRUE(world_.run_until_asked("second"));
  EXPECT_EQ(world_.accepted(), 2U);
}

TEST_P(ClientPoolTest, ARefusedConnectionIsUnreachableAndNamesTheAddress) {
  FunctionWorld::Call& call = world_.get_elsewhere();
  ASSERT_TRUE(world_.run_until_done(call));
  EXPECT_EQ(call.text(), "unreachable: connect to 10.0.0.2:8080: Connection refused");
}

TEST_P(ClientPoolTest, AtMostSoManyCallsShareAFunctionAndTheRestWaits) {
  world_.options.connections_max = 2;
  world_.options.waiting_max = 2;
  world_.post("a");
  world_.post("b");
  FunctionWorld::Call& third = world_.post("c");
  FunctionWorld::Call& fourth = world_.post("d");
  FunctionWorld::Call& fifth = world_.post("e");
  ASSERT_TRUE(world_.run_until_done(fifth));
  EXPECT_EQ(fifth.text(), "too many waiting: too many calls wait for a connection");
  world_.settle();
  EXPECT_EQ(world_.accepted(), 2U);
  EXPECT_EQ(world_.asked("c") + world_.asked("d"), 0U);
  // A connection that becomes free goes to the call that has waited longest.
  world_.answer(1, "1");
  ASSERT_TRUE(world_.run_until_asked("c"));
  EXPECT_EQ(world_.asked("d"), 0U);
  world_.answer(1, "3");
  ASSERT_TRUE(world_.run_until_done(third));
  EXPECT_EQ(third.text(), "200 3");
  // And where it cannot be used again, its place goes to the next, on a connection of its own.
  ASSERT_TRUE(world_.run_until_asked("d"));
  world_.peer(1).say(test::ok("4", "Connection: close\r\n"));
  ASSERT_TRUE(world_.run_until_done(fourth));
  world_.post("f");
  ASSERT_TRUE(world_.run_until_asked("f"));
  EXPECT_EQ(world_.accepted(), 3U);
}

TEST_P(ClientPoolTest, TheDeadlineHoldsWhileWaitingForAConnection) {
  world_.options.connections_max = 1;
  world_.post("busy");
  FunctionWorld::Call& waiting = world_.post("waiting", seconds(2));
  const Instant deadline = later(world_.ring.now(), seconds(2));
  ASSERT_TRUE(world_.run_until_done(waiting));
  EXPECT_EQ(waiting.text(), "timeout: no connection became free in time");
  EXPECT_GE(waiting.ended, deadline);
  EXPECT_LT(waiting.ended, later(deadline, milliseconds(10)));
  // Its place in the queue is gone with it: the next one gets the connection.
  world_.post("next");
  world_.settle();
  world_.answer(0, "0");
  ASSERT_TRUE(world_.run_until_asked("next"));
  EXPECT_EQ(world_.asked("waiting"), 0U);
}

TEST_P(ClientPoolTest, TheDeadlineHoldsWhileConnecting) {
  world_.ring.faults().connect_lost = 100;
  const Instant begun = world_.ring.now();
  FunctionWorld::Call& call = world_.post("a", seconds(2));
  ASSERT_TRUE(world_.run_until_done(call));
  EXPECT_EQ(call.text(), "timeout: connect to 10.0.0.1:8080: no answer in time");
  EXPECT_GE(call.ended, later(begun, seconds(2)));
  EXPECT_LT(call.ended, later(begun, seconds(3)));
}

TEST_P(ClientPoolTest, ConnectingHasALimitOfItsOwn) {
  world_.ring.faults().connect_lost = 100;
  const Instant begun = world_.ring.now();
  FunctionWorld::Call& call = world_.post("a", seconds(30));
  ASSERT_TRUE(world_.run_until_done(call));
  EXPECT_EQ(call.text(), "no connection: connect to 10.0.0.1:8080: no answer in time");
  EXPECT_GE(call.ended, later(begun, seconds(5)));  // CONTRACT section 5
  EXPECT_LT(call.ended, later(begun, seconds(6)));
}

TEST_P(ClientPoolTest, TheDeadlineHoldsWhileSending) {
  world_.read_nothing();
  FunctionWorld::Call& call = world_.post("a", seconds(2), 1024 * 1024);
  ASSERT_TRUE(world_.run_until_done(call));
  EXPECT_EQ(call.text(), "timeout: no complete answer in time");
}

TEST_P(ClientPoolTest, TheDeadlineHoldsWhileReceiving) {
  FunctionWorld::Call& call = world_.post("a", seconds(2));
  ASSERT_TRUE(world_.run_until_asked("a"));
  world_.peer(0).say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  ASSERT_TRUE(world_.run_until_done(call));
  EXPECT_EQ(call.text(), "timeout: no complete answer in time");
  // What still comes belongs to nobody.
  world_.peer(0).say(" of it");
  world_.post("b");
  ASSERT_TRUE(world_.run_until_asked("b"));
  EXPECT_EQ(world_.accepted(), 2U);
}

// In a parallel stage one branch's failure ends the others, whose answers may just have arrived.
TEST_P(ClientPoolTest, ACallGivenUpAsItsAnswerArrivesLeavesNoDeadConnectionBehind) {
  world_.ring.faults() = FaultPlan::quick();
  world_.ring.faults().latency_max = milliseconds(0);
  FunctionWorld::Call& first = world_.post("first");
  FunctionWorld::Call& second = world_.post("second");
  ASSERT_TRUE(
      world_.run_until([&] { return world_.asked("first") + world_.asked("second") == 2; }));
  first.gives_up = &second;
  world_.answer(0, "1");
  world_.answer(1, "2");
  ASSERT_TRUE(world_.run_until_done(second));
  world_.settle();
  FunctionWorld::Call& third = world_.post("third");
  FunctionWorld::Call& fourth = world_.post("fourth");
  ASSERT_TRUE(
      world_.run_until([&] { return world_.asked("third") + world_.asked("fourth") == 2; }));
  for (size_t i = 0; i < world_.accepted(); ++i) {
    const std::string& heard = world_.peer(i).heard();
    if (heard.find("/third") != std::string::npos) world_.answer(i, "3");
    if (heard.find("/fourth") != std::string::npos) world_.answer(i, "4");
  }
  ASSERT_TRUE(world_.run_until([&] { return third.done() && fourth.done(); }));
  EXPECT_EQ(third.text() + ", " + fourth.text(), "200 3, 200 4");
}

TEST_P(ClientPoolTest, ACallCanBeGivenUpInEveryPhase) {
  world_.options.connections_max = 1;
  const auto give_up = [&](FunctionWorld::Call& call) {
    call.scope.cancel();
    ASSERT_TRUE(world_.run_until_done(call));
    EXPECT_EQ(call.text(), "cancelled: the caller is gone");
  };
  world_.ring.faults().connect_lost = 100;
  FunctionWorld::Call& connecting = world_.post("connecting");
  world_.settle();
  FunctionWorld::Call& waiting = world_.post("waiting");
  world_.settle();
  give_up(waiting);
  give_up(connecting);
  world_.ring.faults().connect_lost = 0;
  world_.run_for(seconds(6));  // the connecting goes on, for whoever comes next, to its limit
  FunctionWorld::Call& receiving = world_.post("receiving");
  ASSERT_TRUE(world_.run_until_asked("receiving"));
  give_up(receiving);
  world_.read_nothing();
  FunctionWorld::Call& sending = world_.post("sending", FunctionWorld::kPatient, 1024 * 1024);
  world_.settle();
  give_up(sending);
  EXPECT_EQ(world_.asked("waiting") + world_.asked("connecting"), 0U);
}

TEST_P(ClientPoolTest, ACallerWhoIsGoneAlreadyCostsNoConnection) {
  world_.post_given_up("unwanted");
  world_.settle();
  EXPECT_EQ(world_.accepted(), 0U);
  use_one_connection();
  FunctionWorld::Call& call = world_.post_given_up("unwanted");
  EXPECT_EQ(call.text(), "cancelled: the caller is gone");
  world_.post("wanted");
  ASSERT_TRUE(world_.run_until_asked("wanted"));
  EXPECT_EQ(world_.accepted(), 1U);
  EXPECT_EQ(world_.asked("unwanted"), 0U);
}

TEST_P(ClientPoolTest, AnIdleConnectionIsClosedInTime) {
  use_one_connection();
  world_.run_for(milliseconds(1000));
  EXPECT_FALSE(world_.peer(0).ended());
  world_.run_for(milliseconds(1000));
  EXPECT_TRUE(world_.peer(0).ended());
}

TEST_P(ClientPoolTest, AConnectionForACallThatGaveUpWaitingGoesToTheNext) {
  world_.options.connections_max = 1;
  use_one_connection();
  world_.post("busy");
  ASSERT_TRUE(world_.run_until_asked("busy"));
  FunctionWorld::Call& gone = world_.post("gone");
  FunctionWorld::Call& next = world_.post("next");
  gone.scope.cancel();
  world_.answer(0, "0");
  ASSERT_TRUE(world_.run_until_asked("next"));
  EXPECT_EQ(gone.text(), "cancelled: the caller is gone");
  EXPECT_EQ(world_.asked("gone"), 0U);
  EXPECT_EQ(next.text(), "pending");
  EXPECT_EQ(world_.accepted(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ClientPoolTest, testing::Range<uint64_t>(1, 13));

}  // namespace
}  // namespace fnkit
