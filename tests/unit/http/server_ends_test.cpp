// How a ServerConnection ends: by its caller, by being drained, by being abandoned; in each state.
#include <gtest/gtest.h>

#include "wire/http_cases.hpp"
#include "wire/server_world.hpp"

namespace fnkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Caller;
using test::get;
using test::kShort;
using test::post;
using test::ServerWorld;

class ServerEndsTest : public testing::TestWithParam<uint64_t> {
 protected:
  ServerWorld world{GetParam()};

  Caller& caller_in_progress(const std::string& bytes = get({"\r\n"})) {
    world.handler.hold();
    Caller& caller = world.connect();
    caller.say(bytes);
    world.run_for(kShort);
    EXPECT_EQ(world.handler.handled.size(), 1U) << "the request has not reached the handler";
    return caller;
  }
};

INSTANTIATE_TEST_SUITE_P(Seeds, ServerEndsTest, testing::Range<uint64_t>(1, 9));

TEST_P(ServerEndsTest, ACallerWhoLeavesCancelsItsRequest) {
  Caller& caller = caller_in_progress();
  world.leave(caller);
  world.run_for(kShort);
  EXPECT_EQ(world.handler.callers_gone, 1U) << "its request went on for nobody";
  EXPECT_TRUE(world.last_connection_served()) << "its connection is still held";
}

TEST_P(ServerEndsTest, ACallerWhoResetsCancelsItsRequest) {
  Caller& caller = caller_in_progress();
  world.ring.kill(world.ring.connections().back());
  world.run_for(kShort);
  EXPECT_TRUE(caller.broken());
  EXPECT_EQ(world.handler.callers_gone, 1U) << "its request went on for nobody";
  EXPECT_TRUE(world.last_connection_served()) << "its connection is still held";
}

TEST_P(ServerEndsTest, MoreBytesAreNoLeaving) {
  Caller& caller = caller_in_progress();
  caller.say(get({"\r\n"}));
  world.run_for(kShort);
  EXPECT_EQ(world.handler.callers_gone, 0U) << "a pipelined request was taken for a leaving";
  world.handler.release();
  world.run_for(kShort);
  world.handler.release();
  world.run_for(kShort);
  EXPECT_EQ(caller.answers().statuses(), "200 200");
}

TEST_P(ServerEndsTest, WithoutCancellingARequestRunsToItsEnd) {
  world.options.cancel_when_caller_leaves = false;
  Caller& caller = caller_in_progress();
  caller.say_no_more();
  world.run_for(kShort);
  EXPECT_EQ(world.handler.callers_gone, 0U) << "--on-disconnect finish was not heeded";
  world.handler.release();
  world.run_for(kShort);
  EXPECT_EQ(caller.answers().statuses(), "200");
}

TEST_P(ServerEndsTest, DrainingAnswersWhatIsInProgressAndSaysClose) {
  Caller& caller = caller_in_progress();
  world.server().drain();
  world.run_for(kShort);
  EXPECT_FALSE(caller.ended()) << "a request in progress was given up";
  world.handler.release();
  world.run_for(kShort);
  ASSERT_EQ(caller.answers().statuses(), "200");
  EXPECT_TRUE(caller.answers().list[0].closes()) << "the caller would send the next one here";
  EXPECT_TRUE(caller.ended()) << "the connection stayed open";
}

TEST_P(ServerEndsTest, DrainingDoesNotLoseTheAnswerToWhoSendsOn) {
  Caller& caller = caller_in_progress();
  world.server().drain();
  for (int i = 0; i < 20; ++i) {
    caller.say(get({"\r\n"}));
    if (i == 10) world.handler.release();
    world.run_for(milliseconds(1));
  }
  world.run_for(kShort);
  EXPECT_FALSE(caller.broken()) << "a reset overtook the answer (RFC 9112 9.6)";
  EXPECT_EQ(caller.answers().statuses(), "200") << "only the one in progress is answered";
}

TEST_P(ServerEndsTest, DrainingClosesAnIdleConnection) {
  Caller& caller = world.connect();
  caller.say(get({"\r\n"}));
  world.run_for(kShort);
  world.server().drain();
  world.run_for(milliseconds(100));
  EXPECT_FALSE(caller.ended()) << "a request may be on its way";
  world.server().end_when_idle();
  world.run_for(milliseconds(100));
  EXPECT_TRUE(caller.ended()) << "an idle connection holds up the end";
  EXPECT_EQ(caller.answers().statuses(), "200");
}

TEST_P(ServerEndsTest, DrainingTakesTheRequestThatWasOnItsWay) {
  Caller& caller = world.connect();
  caller.say(get({"\r\n"}));
  world.run_for(kShort);
  world.server().drain();
  caller.say(get({"\r\n"}));
  world.run_for(kShort);
  ASSERT_EQ(caller.answers().statuses(), "200 200") << "its caller had not been told of the end";
  EXPECT_TRUE(caller.ended() && caller.answers().list[1].closes());
}

TEST_P(ServerEndsTest, DrainingWhileAnAnswerIsWrittenEndsBehindIt) {
  Caller& caller = world.connect_deaf();
  caller.say("GET /big/500000 HTTP/1.1\r\nHost: t\r\n\r\n");
  world.run_for(kShort);
  world.server().end_when_idle();
  world.run_for(kShort);
  caller.start_reading();
  world.run_for(seconds(10));
  EXPECT_EQ(caller.answers().statuses(), "200") << "its answer was cut off";
  EXPECT_TRUE(caller.ended()) << "it idles on, and holds up the end";
}

TEST_P(ServerEndsTest, DrainingStillTakesTheFirstRequestOfANewConnection) {
  Caller& caller = world.connect();
  world.run_for(kShort);
  world.server().drain();
  caller.say(get({"\r\n"}));
  world.run_for(kShort);
  ASSERT_EQ(caller.answers().statuses(), "200") << "who was accepted is served";
  EXPECT_TRUE(caller.ended() && caller.answers().list[0].closes());
}

TEST_P(ServerEndsTest, DrainingReadsToItsEndWhatHasBegun) {
  Caller& caller = world.connect();
  caller.say(get({"\r\n"}) + post({"Content-Length: 5\r\n\r\nhe"}));
  world.run_for(kShort);
  world.server().drain();
  caller.say("llo");
  world.run_for(kShort);
  ASSERT_EQ(caller.answers().statuses(), "200 200") << "half of it had come";
  EXPECT_TRUE(caller.ended() && caller.answers().list[1].closes());
}

TEST_P(ServerEndsTest, EndingWhenIdleLeavesARequestAlone) {
  Caller& busy = caller_in_progress();
  world.server().end_when_idle();
  world.run_for(kShort);
  EXPECT_FALSE(busy.ended()) << "a request in progress was given up";
  Caller& idle = world.connect();
  world.run_for(kShort);
  world.server().end_when_idle();
  world.run_for(kShort);
  EXPECT_TRUE(idle.ended()) << "an idle connection stayed";
  world.handler.release();
  world.run_for(kShort);
  EXPECT_EQ(busy.answers().statuses(), "200");
}

TEST_P(ServerEndsTest, AbandoningAnswersWhatIsInProgressWith503) {
  Caller& caller = caller_in_progress();
  world.server().abandon();
  world.run_for(kShort);
  EXPECT_EQ(world.handler.callers_gone, 1U) << "its steps were not given up";
  ASSERT_EQ(caller.answers().statuses(), "503");
  EXPECT_TRUE(caller.ended() && caller.answers().list[0].closes());
  EXPECT_TRUE(world.last_connection_served()) << "it is still held";
}

// In whatever state an abandoned connection is, it ends; what it held is checked by the world.
TEST_P(ServerEndsTest, AbandoningEndsEveryState) {
  const std::string states[] = {
      "",                                                           // idle
      "GET /li",                                                    // in a head
      post({"Content-Length: 5\r\n\r\nhe"}),                        // in a body
      post({"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"}),  // asked for the body
      get({"\r\n"}),                                                // served
      "GET nonsense\r\n\r\n",                                       // refused, lingering
      "GET /big/2000000 HTTP/1.1\r\nHost: t\r\n\r\n",               // writing
  };
  for (const Duration after : {Duration(0), Duration(milliseconds(2)), Duration(kShort)}) {
    for (const std::string& said : states) {
      Caller& caller = world.connect_deaf();
      caller.say(said);
      world.run_for(after);
      world.server().abandon();
      world.server().abandon();
      world.run_for(kShort);
      EXPECT_TRUE(world.last_connection_served()) << "not ended after: " << said;
    }
  }
}

TEST_P(ServerEndsTest, ACallerMayLeaveInEveryState) {
  const std::string all = post({"Content-Length: 5\r\n\r\nhello"}) + get({"\r\n"}) +
                          post({"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"});
  for (size_t cut = 0; cut <= all.size(); cut += 3) {
    Caller& caller = world.connect();
    caller.say(all.substr(0, cut));
    world.run_for(milliseconds(cut % 7));
    world.leave(caller);
    world.run_for(kShort);
    EXPECT_TRUE(world.last_connection_served()) << "held after " << cut << " bytes";
  }
}

// Resets and failing sends at any point: nobody is answered with another's answer, nothing is left.
TEST(ServerBadNetworkTest, LeavesNothingBehind) {
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ServerWorld world(seed, {.send_fails = 5, .reset = 3});
    std::vector<Caller*> callers;
    for (int i = 0; i < 5; ++i) {
      callers.push_back(&world.connect());
      callers.back()->say(post({"Content-Length: 5\r\n\r\nhello"}) + get({"\r\n"}) +
                          "GET /big/50000 HTTP/1.1\r\nHost: t\r\n\r\n" + "GET nonsense\r\n\r\n");
    }
    world.run_for(kShort);
    for (const Caller* caller : callers) {
      const std::string statuses = caller->answers().statuses();
      const std::string all = "200 200 200 400";
      EXPECT_TRUE(statuses == "silence" || all.starts_with(statuses)) << "answers: " << statuses;
      EXPECT_TRUE(caller->broken() || statuses == all) << "not broken, and not all: " << statuses;
    }
  }
}

}  // namespace
}  // namespace fnkit
