// Calls that are given up while others share their connection: the others must not notice.
#include <gtest/gtest.h>

#include "unit/http/function_world.hpp"

namespace fnkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FaultPlan;
using test::FunctionWorld;
using test::ok;
using Call = FunctionWorld::Call;

constexpr std::string_view kCancelled = "cancelled: the caller is gone";
constexpr std::string_view kLate = "timeout: no complete answer in time";
constexpr std::string_view kBehind =
    "broken: the connection ended before the answers before it had come";

class ClientGivenUpTest : public testing::TestWithParam<uint64_t> {
 protected:
  ClientGivenUpTest() {
    world_.options.pipelining_trust = 20;
    world_.options.pipelining_wait = seconds(1);
    world_.earn_trust();
  }

  // So many calls in line on peer 0; the one called `late` has only a second.
  void line_up(size_t count, size_t late = SIZE_MAX) {
    for (size_t i = 0; i < count; ++i) {
      const Duration within = i == late ? seconds(1) : FunctionWorld::kPatient;
      calls_.push_back(&world_.post("call" + std::to_string(i), within));
    }
  }
  void line_up_and_await(size_t count, size_t late = SIZE_MAX) {
    line_up(count, late);
    ASSERT_TRUE(world_.run_until_asked("call" + std::to_string(count - 1)));
    ASSERT_EQ(world_.accepted(), 1U);
  }
  Call& call(size_t index) { return *calls_.at(index); }
  void expect_done(size_t index, std::string_view text) {
    ASSERT_TRUE(world_.run_until_done(call(index))) << index;
    EXPECT_EQ(call(index).text(), text) << index;
  }
  bool ended() { return world_.peer(0).ended(); }

  FunctionWorld world_{GetParam()};
  std::vector<Call*> calls_;
};

TEST_P(ClientGivenUpTest, InTheMiddleItKeepsItsPlaceAndTheOthersGetTheirs) {
  line_up_and_await(4);
  call(1).scope.cancel();
  expect_done(1, kCancelled);
  world_.peer(0).say(ok("0") + ok("1") + ok("2") + ok("3"));
  expect_done(0, "200 0");
  expect_done(2, "200 2");
  expect_done(3, "200 3");
  Call& next = world_.post("next");
  ASSERT_TRUE(world_.run_until_asked("next"));
  world_.answer(0, "next");
  ASSERT_TRUE(world_.run_until_done(next));
  EXPECT_EQ(next.text(), "200 next");
  EXPECT_EQ(world_.accepted(), 1U);
}

TEST_P(ClientGivenUpTest, ByTimeItKeepsItsPlaceAsWell) {
  line_up_and_await(3, 1);
  expect_done(1, kLate);
  world_.settle();
  EXPECT_FALSE(ended());
  world_.peer(0).say(ok("0") + ok("1") + ok("2"));
  expect_done(0, "200 0");
  expect_done(2, "200 2");
  EXPECT_EQ(world_.accepted(), 1U);
}

TEST_P(ClientGivenUpTest, AFirstOneThatIsLateEndsTheConnectionAndTheOthersAreJudgedAtOnce) {
  line_up_and_await(3, 0);
  expect_done(0, kLate);
  expect_done(1, kBehind);
  expect_done(2, kBehind);
  EXPECT_LT(call(2).ended - call(0).ended, milliseconds(50));
  EXPECT_TRUE(world_.run_until([&] { return ended(); }));
  EXPECT_EQ(world_.asked("call1") + world_.asked("call2"), 2U);
}

TEST_P(ClientGivenUpTest, AFirstOneWhoseAnswerNeverComesEndsTheConnectionAfterASecond) {
  line_up_and_await(3);
  call(0).scope.cancel();
  expect_done(0, kCancelled);
  const Instant given_up = call(0).ended;
  expect_done(1, kBehind);
  expect_done(2, kBehind);
  EXPECT_GE(call(1).ended, later(given_up, seconds(1)));
  EXPECT_LT(call(1).ended, later(given_up, milliseconds(1100)));
  EXPECT_TRUE(world_.run_until([&] { return ended(); }));
}

// Its second begins when it is the first.
TEST_P(ClientGivenUpTest, OneInTheMiddleHasItsSecondFromTheAnswerBeforeItOn) {
  line_up_and_await(3);
  call(1).scope.cancel();
  world_.run_for(seconds(3));
  EXPECT_FALSE(ended());
  world_.answer(0, "0");
  expect_done(0, "200 0");
  world_.run_for(milliseconds(800));
  EXPECT_FALSE(call(2).done());
  world_.answer(0, "1");
  world_.run_for(seconds(3));
  EXPECT_FALSE(call(2).done()) << "its answer has been discarded, and the next may take its time";
  world_.answer(0, "2");
  expect_done(2, "200 2");
}

TEST_P(ClientGivenUpTest, OneInTheMiddleThatIsNotAnsweredEndsTheConnectionASecondAfterItsTurn) {
  line_up_and_await(3);
  call(1).scope.cancel();
  world_.run_for(seconds(3));
  world_.answer(0, "0");
  expect_done(0, "200 0");
  const Instant its_turn = call(0).ended;
  expect_done(2, kBehind);
  EXPECT_GE(call(2).ended, later(its_turn, seconds(1)));
  EXPECT_LT(call(2).ended, later(its_turn, milliseconds(1100)));
}

TEST_P(ClientGivenUpTest, AnAnswerToNobodyMayBeSoLarge) {
  line_up_and_await(2);
  call(0).scope.cancel();
  world_.peer(0).say(ok(std::string(50'000, 'x')) + ok("1"));
  expect_done(1, "200 1");
  EXPECT_EQ(world_.accepted(), 1U);
}

TEST_P(ClientGivenUpTest, AnAnswerToNobodyThatIsLargerEndsTheConnection) {
  line_up_and_await(2);
  call(0).scope.cancel();
  const Instant given_up = world_.ring.now();
  world_.peer(0).say("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" +
                     std::string(80'000, 'x'));
  expect_done(1, kBehind);
  EXPECT_LT(call(1).ended, later(given_up, seconds(1)));
}

TEST_P(ClientGivenUpTest, ALineOfWhichNobodyIsLeftEndsAtOnce) {
  line_up_and_await(3);
  const Instant given_up = world_.ring.now();
  for (const size_t index : {2UL, 0UL, 1UL}) call(index).scope.cancel();
  EXPECT_TRUE(world_.run_until([&] { return ended(); }));
  EXPECT_LT(world_.ring.now(), later(given_up, milliseconds(50)));
  for (const size_t index : {0UL, 1UL, 2UL}) expect_done(index, kCancelled);
}

TEST_P(ClientGivenUpTest, WhatIsGivenUpBeforeItIsSentIsNeverAsked) {
  for (size_t gone = 0; gone < 3; ++gone) {
    calls_.clear();
    line_up(3);
    call(gone).scope.cancel();
    expect_done(gone, kCancelled);
    std::string said;
    for (size_t i = 0; i < 3; ++i) said += i == gone ? "" : ok(std::to_string(i));
    const size_t last = gone == 2 ? 1 : 2;
    ASSERT_TRUE(
        world_.run_until([&] { return world_.peer(0).heard().ends_with(call(last).head); }));
    world_.peer(0).say(said);
    for (size_t i = 0; i < 3; ++i) {
      if (i != gone) expect_done(i, "200 " + std::to_string(i));
    }
  }
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(world_.asked("call" + std::to_string(i)), 2U);
  EXPECT_EQ(world_.accepted(), 1U);
}

TEST_P(ClientGivenUpTest, AllThatIsToBeSentIsGivenUp) {
  line_up(2);
  call(0).scope.cancel();
  call(1).scope.cancel();
  expect_done(0, kCancelled);
  expect_done(1, kCancelled);
  world_.settle();
  EXPECT_EQ(world_.asked("call0") + world_.asked("call1"), 0U);
  Call& next = world_.post("next");
  ASSERT_TRUE(world_.run_until_asked("next"));
  world_.answer(0, "next");
  ASSERT_TRUE(world_.run_until_done(next));
  EXPECT_EQ(next.text(), "200 next");
}

// The one that takes its place is answered as what it is.
TEST_P(ClientGivenUpTest, AHeadThatIsGivenUpBeforeItIsSentLeavesNoTrace) {
  Call& head = world_.call("head", {.method = "HEAD"});
  Call& get = world_.get("get");
  head.scope.cancel();
  ASSERT_TRUE(world_.run_until_asked("get"));
  world_.answer(0, "body");
  ASSERT_TRUE(world_.run_until_done(get));
  EXPECT_EQ(get.text(), "200 body");
  Call& first = world_.get("first");
  Call& second = world_.call("second", {.method = "HEAD"});
  first.scope.cancel();
  ASSERT_TRUE(world_.run_until_asked("second"));
  world_.peer(0).say("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  ASSERT_TRUE(world_.run_until_done(second));
  EXPECT_EQ(second.text(), "200 ");
}

// As when a parallel stage's branch fails: whoever has no answer yet is given up in that turn.
TEST_P(ClientGivenUpTest, InTheTurnOfItsAnswerInEveryPositionOfTheLine) {
  world_.ring.faults() = FaultPlan::quick();
  for (size_t gone = 0; gone < 4; ++gone) {
    for (size_t by = 0; by < 4; ++by) {
      if (gone == by) continue;
      SCOPED_TRACE(std::to_string(gone) + " by " + std::to_string(by));
      calls_.clear();
      line_up(4);
      const auto heard_all = [&] { return world_.peer(0).heard().ends_with(call(3).head); };
      ASSERT_TRUE(world_.run_until(heard_all));
      call(by).gives_up = &call(gone);
      if (GetParam() % 2 == 0) {
        world_.peer(0).say(ok("0") + ok("1") + ok("2") + ok("3"));
      } else {
        for (size_t i = 0; i < 4; ++i) world_.answer(0, std::to_string(i));
      }
      for (size_t i = 0; i < 4; ++i) {
        ASSERT_TRUE(world_.run_until_done(call(i)));
        const std::string answer = "200 " + std::to_string(i);
        EXPECT_TRUE(call(i).text() == answer || (i == gone && call(i).text() == kCancelled))
            << i << ": " << call(i).text();
      }
    }
  }
  EXPECT_EQ(world_.accepted(), 1U);
}

// Its bytes are the caller's and are still being read.
TEST_P(ClientGivenUpTest, ALargeCallEndsWhenTheKernelHasLetGoOfItsBytes) {
  world_.ring.freeze(world_.socket_of(0));
  Call& large = world_.post("large", FunctionWorld::kPatient, 1024 * 1024);
  world_.run_for(milliseconds(100));
  const Instant given_up = world_.ring.now();
  large.scope.cancel();
  EXPECT_FALSE(large.done());
  ASSERT_TRUE(world_.run_until_done(large));
  EXPECT_EQ(large.text(), kCancelled);
  EXPECT_LT(large.ended, later(given_up, milliseconds(50)));
  world_.ring.thaw(world_.socket_of(0));
}

INSTANTIATE_TEST_SUITE_P(Seeds, ClientGivenUpTest, testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace fnkit
