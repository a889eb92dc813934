// Which calls share a connection, and that each gets its own answer: CONTRACT section 5,
// "Pipelining".
#include <gtest/gtest.h>

#include "unit/http/function_world.hpp"

namespace fnkit {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FaultPlan;
using test::FunctionWorld;
using test::ok;
using Call = FunctionWorld::Call;

// A network on which nothing is cut and nothing takes longer than these calls may wait.
FaultPlan swift() {
  FaultPlan plan = FaultPlan::quick();
  plan.latency_max = microseconds(20);
  plan.piece_max = size_t{1} << 30;
  return plan;
}

// A function that has earned trust, with one idle connection: peer 0.
class ClientSharingTest : public testing::TestWithParam<uint64_t> {
 protected:
  ClientSharingTest() { world_.options.pipelining_trust = 20; }

  void run_until_all_done(std::initializer_list<const Call*> calls) {
    for (const Call* call : calls) ASSERT_TRUE(world_.run_until_done(*call)) << call->head;
  }
  uint64_t shared() { return world_.pool().counts().shared; }
  // `count` calls of one turn; how many of them stood behind others.
  uint64_t shared_of(size_t count) {
    std::vector<Call*> calls;
    const uint64_t before = shared();
    world_.answer_by_itself();
    for (size_t i = 0; i < count; ++i) calls.push_back(&world_.post(std::to_string(i)));
    for (size_t i = 0; i < count; ++i) {
      EXPECT_TRUE(world_.run_until_done(*calls[i]));
      EXPECT_EQ(calls[i]->text(), "200 " + std::to_string(i));
    }
    world_.answer_no_more();
    return shared() - before;
  }
  // One call after the other, each keeping the function busy for `takes`.
  void call_in_turn(size_t count, Duration takes) {
    world_.answer_by_itself(takes);
    for (size_t i = 0; i < count; ++i) {
      const Call& call = world_.post("in-turn");
      ASSERT_TRUE(world_.run_until_done(call));
      ASSERT_EQ(call.text(), "200 in-turn");
    }
    world_.answer_no_more();
  }

  FunctionWorld world_{GetParam(), swift()};
};

TEST_P(ClientSharingTest, CallsOfOneTurnLeaveAsOneAndEachGetsItsOwnAnswer) {
  world_.earn_trust();
  const size_t hearings = world_.hearings();
  Call& first = world_.post("a");
  Call& second = world_.post("b", FunctionWorld::kPatient, 1000);
  Call& third = world_.get("c");
  ASSERT_TRUE(world_.run_until_asked("c"));
  EXPECT_EQ(world_.hearings(), hearings + 1) << "they left in more than one send";
  EXPECT_EQ(world_.accepted(), 1U);
  EXPECT_EQ(shared(), 2U);
  const std::string& heard = world_.peer(0).heard();
  EXPECT_TRUE(heard.ends_with(first.head + second.head + second.body + third.head));
  world_.answer(0, "1");
  ASSERT_TRUE(world_.run_until_done(first));
  EXPECT_EQ(second.text() + ", " + third.text(), "pending, pending");
  world_.peer(0).say(ok("2") + ok("3"));
  run_until_all_done({&second, &third});
  EXPECT_EQ(first.text() + ", " + second.text() + ", " + third.text(), "200 1, 200 2, 200 3");
  EXPECT_EQ(shared_of(2), 1U) << "the connection is not as good as before";
  EXPECT_EQ(world_.accepted(), 1U);
}

TEST_P(ClientSharingTest, ACallOfALaterTurnStandsBehindOneThatHasJustBeenSent) {
  world_.earn_trust();
  Call& first = world_.post("a");
  ASSERT_TRUE(world_.run_until_asked("a"));
  Call& second = world_.post("b");
  ASSERT_TRUE(world_.run_until_asked("b"));
  EXPECT_EQ(world_.accepted(), 1U);
  world_.peer(0).say(ok("1") + ok("2"));
  run_until_all_done({&first, &second});
  EXPECT_EQ(first.text() + ", " + second.text(), "200 1, 200 2");
}

TEST_P(ClientSharingTest, NoMoreShareAConnectionThanItsDepth) {
  world_.options.connections_max = 1;
  world_.options.pipelining_depth = 4;
  world_.options.pipelining_wait = seconds(10);
  world_.earn_trust();
  std::vector<Call*> calls;
  for (size_t i = 0; i < 11; ++i) calls.push_back(&world_.post("n" + std::to_string(i)));
  for (size_t answered = 0; answered < calls.size(); ++answered) {
    const size_t last = std::min(answered + 3, calls.size() - 1);
    ASSERT_TRUE(world_.run_until_asked("n" + std::to_string(last)));
    world_.run_for(milliseconds(5));
    EXPECT_EQ(world_.asked("n" + std::to_string(last + 1)), 0U);
    world_.answer(0, std::to_string(answered));
    ASSERT_TRUE(world_.run_until_done(*calls[answered]));
    EXPECT_EQ(calls[answered]->text(), "200 " + std::to_string(answered));
  }
  EXPECT_EQ(world_.accepted(), 1U);
}

TEST_P(ClientSharingTest, DepthOneNeverShares) {
  world_.options.pipelining_depth = 1;
  world_.earn_trust();
  EXPECT_EQ(shared_of(5), 0U);
  EXPECT_EQ(world_.accepted(), 5U);
}

TEST_P(ClientSharingTest, AFunctionIsTrustedAfterSoManyGoodAnswersInARow) {
  EXPECT_EQ(http::ClientOptions().pipelining_trust, 1000U);
  call_in_turn(18, Duration::zero());
  EXPECT_EQ(shared_of(2), 0U) << "18 were not enough, and these made it 20";
  EXPECT_EQ(shared_of(2), 1U);
}

TEST_P(ClientSharingTest, ACallThatMayNotShareIsAloneAndNobodyJoinsIt) {
  world_.earn_trust();
  Call& before = world_.post("before");
  Call& alone = world_.call("alone", {.may_share = false});
  ASSERT_TRUE(world_.run_until_asked("alone"));
  ASSERT_TRUE(world_.run_until_asked("before"));
  Call& after = world_.post("after");
  ASSERT_TRUE(world_.run_until_asked("after"));
  EXPECT_EQ(world_.asked_on("before"), 0U);
  EXPECT_EQ(world_.asked_on("after"), 0U);
  EXPECT_EQ(world_.asked_on("alone"), 1U);
  world_.answer(1, "by itself");
  world_.peer(0).say(ok("1") + ok("2"));
  run_until_all_done({&before, &alone, &after});
  EXPECT_EQ(before.text() + ", " + alone.text() + ", " + after.text(),
            "200 1, 200 by itself, 200 2");
  // Now on a connection that has been used, first.
  world_.call("alone2", {.may_share = false});
  world_.post("behind");
  ASSERT_TRUE(world_.run_until_asked("alone2"));
  ASSERT_TRUE(world_.run_until_asked("behind"));
  EXPECT_NE(world_.asked_on("alone2"), world_.asked_on("behind"));
}

TEST_P(ClientSharingTest, ALargeCallIsAlone) {
  world_.earn_trust();
  constexpr size_t kMax = 16 * 1024;
  world_.post("a");
  const size_t head = world_.post("fits", FunctionWorld::kPatient, 10'000).head.size();
  world_.post("justfits", FunctionWorld::kPatient, kMax - head - 4);
  world_.post("too-much", FunctionWorld::kPatient, kMax - head - 3);
  for (const char* name : {"a", "fits", "justfits", "too-much"}) {
    ASSERT_TRUE(world_.run_until_asked(name)) << name;
  }
  EXPECT_EQ(world_.asked_on("fits"), 0U);
  EXPECT_EQ(world_.asked_on("justfits"), 0U);
  EXPECT_EQ(world_.asked_on("too-much"), 1U);
}

TEST_P(ClientSharingTest, NoneShareWhereTheFunctionUsuallyTakesItsTime) {
  world_.earn_trust();
  EXPECT_EQ(shared_of(3), 2U);
  call_in_turn(60, milliseconds(2));
  EXPECT_EQ(shared_of(3), 0U);
  call_in_turn(60, Duration::zero());
  EXPECT_EQ(shared_of(3), 2U);
}

TEST_P(ClientSharingTest, ACallIsNotPutBehindOneThatHasBeenWaitingForLong) {
  world_.earn_trust();
  world_.post("slow");
  world_.run_for(milliseconds(2));
  world_.post("next");
  ASSERT_TRUE(world_.run_until_asked("next"));
  EXPECT_EQ(world_.asked_on("slow"), 0U);
  EXPECT_EQ(world_.asked_on("next"), 1U);
}

TEST_P(ClientSharingTest, AFunctionThatIsNowQuickNowSlowIsNeverShared) {
  world_.earn_trust();
  for (int i = 0; i < 30; ++i) {
    call_in_turn(1, milliseconds(200));
    call_in_turn(1, Duration::zero());
    EXPECT_EQ(shared_of(3), 0U) << i;
  }
}

TEST_P(ClientSharingTest, ANewConnectionIsNotSharedBeforeItsFirstAnswer) {
  world_.earn_trust();
  world_.run_for(seconds(2));
  ASSERT_TRUE(world_.peer(0).ended());
  Call& first = world_.post("first");
  Call& second = world_.post("second");
  ASSERT_TRUE(world_.run_until_asked("first"));
  ASSERT_TRUE(world_.run_until_asked("second"));
  EXPECT_NE(world_.asked_on("first"), world_.asked_on("second"));
  Call& third = world_.post("third");
  ASSERT_TRUE(world_.run_until_asked("third"));
  EXPECT_EQ(world_.asked_on("third"), 3U);
  EXPECT_EQ(shared(), 0U);
  for (size_t i = 1; i < 4; ++i) world_.answer(i, "1");
  run_until_all_done({&first, &second, &third});
  EXPECT_EQ(shared_of(3), 2U);
}

// "I close in less than a second" is said to the next call, not to those already in line.
TEST_P(ClientSharingTest, AKeepAliveThatIsOverLetsTheLineEnd) {
  world_.earn_trust();
  Call& first = world_.post("a");
  Call& second = world_.post("b");
  Call& third = world_.post("c");
  ASSERT_TRUE(world_.run_until_asked("c"));
  world_.peer(0).say(ok("1", "Keep-Alive: timeout=1\r\n"));
  ASSERT_TRUE(world_.run_until_done(first));
  world_.post("elsewhere");
  ASSERT_TRUE(world_.run_until_asked("elsewhere"));
  EXPECT_EQ(world_.asked_on("elsewhere"), 1U);
  world_.peer(0).say(ok("2", "Keep-Alive: timeout=1\r\n") + ok("3", "Keep-Alive: timeout=1\r\n"));
  run_until_all_done({&second, &third});
  EXPECT_EQ(second.text() + ", " + third.text(), "200 2, 200 3");
  EXPECT_TRUE(world_.run_until([&] { return world_.peer(0).ended(); }));
}

TEST_P(ClientSharingTest, AnswersMayComeByteByByte) {
  world_.options.pipelining_wait = seconds(10);
  world_.earn_trust();
  Call& first = world_.post("a");
  Call& second = world_.post("b");
  ASSERT_TRUE(world_.run_until_asked("b"));
  const std::string answers = ok("one") + "HTTP/1.1 204 No Content\r\n\r\n";
  for (const char byte : answers) {
    EXPECT_FALSE(second.done());
    world_.peer(0).say(std::string(1, byte));
    world_.run_for(microseconds(100));
  }
  run_until_all_done({&first, &second});
  EXPECT_EQ(first.text() + ", " + second.text(), "200 one, 204 ");
  EXPECT_EQ(shared_of(2), 1U);
}

TEST_P(ClientSharingTest, EveryFramingEndsWhereTheNextAnswerBegins) {
  world_.earn_trust();
  Call& get = world_.get("get");
  Call& head = world_.call("head", {.method = "HEAD"});
  Call& chunked = world_.get("chunked");
  Call& head_again = world_.call("head", {.method = "HEAD"});
  Call& empty = world_.get("empty");
  Call& last = world_.get("last");
  ASSERT_TRUE(world_.run_until_asked("last"));
  ASSERT_EQ(world_.accepted(), 1U);
  world_.peer(0).say(ok("got") + "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" +
                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                     "3\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: t\r\n\r\n" +
                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" +
                     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n" +
                     "HTTP/1.1 200 OK\r\n\r\nuntil the end");
  world_.peer(0).say_no_more();
  run_until_all_done({&get, &head, &chunked, &head_again, &empty, &last});
  EXPECT_EQ(get.text() + ", " + head.text() + ", " + chunked.text() + ", " + head_again.text() +
                ", " + empty.text() + ", " + last.text(),
            "200 got, 200 , 200 abcde, 200 , 304 , 200 until the end");
}

// It is no surprise, and none of their business, that a caller went away.
TEST_P(ClientSharingTest, ACallThatItsCallerGaveUpCostsTheFunctionNoTrust) {
  world_.earn_trust();
  Call& alone = world_.post("alone");
  ASSERT_TRUE(world_.run_until_asked("alone"));
  alone.scope.cancel();
  world_.run_for(milliseconds(100));
  EXPECT_EQ(alone.text(), "cancelled: the caller is gone");
  call_in_turn(1, Duration::zero());
  EXPECT_EQ(shared_of(2), 1U);
}

TEST_P(ClientSharingTest, ALineThatAllItsCallersGaveUpCostsTheFunctionNoTrust) {
  world_.earn_trust();
  Call& one = world_.post("one");
  Call& other = world_.post("other");
  ASSERT_TRUE(world_.run_until_asked("other"));
  ASSERT_EQ(world_.accepted(), 1U);
  one.scope.cancel();
  other.scope.cancel();
  world_.run_for(milliseconds(100));
  call_in_turn(1, Duration::zero());
  EXPECT_EQ(shared_of(2), 1U);
}

TEST_P(ClientSharingTest, AConnectionThatBreaksCostsAllTrust) {
  world_.earn_trust();
  Call& broken = world_.post("broken");
  ASSERT_TRUE(world_.run_until_asked("broken"));
  world_.reset(0);
  ASSERT_TRUE(world_.run_until_done(broken));
  call_in_turn(10, Duration::zero());
  EXPECT_EQ(shared_of(2), 0U);
  call_in_turn(7, Duration::zero());  // 19 in a row
  EXPECT_EQ(shared_of(2), 0U);
  EXPECT_EQ(shared_of(2), 1U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ClientSharingTest, testing::Range<uint64_t>(1, 7));

}  // namespace
}  // namespace fnkit
