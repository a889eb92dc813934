// The table of requests against a ServerConnection, over a network that cuts and delays by seed.
#include <gtest/gtest.h>

#include "wire/http_cases.hpp"
#include "wire/server_world.hpp"

namespace fnkit {
namespace {

using test::After;
using test::Answers;
using test::Asks;
using test::Caller;
using test::FaultPlan;
using test::FixedHandler;
using test::RequestCase;
using test::ServerWorld;

constexpr Duration kLongEnough = std::chrono::seconds(5);
constexpr std::string_view kCanary =
    "GET /livez?canary HTTP/1.1\r\nHost: t\r\nX-Request-Id: bird\r\n\r\n";

std::string who(const RequestCase& wire) {
  return std::string(wire.id) + " (" + wire.name + ", " + wire.source + ")";
}

void say(Caller& caller, const RequestCase& wire) {
  caller.say(wire.bytes);
  if (wire.asks == Asks::for_end) caller.say_no_more();
}

// What holds for every answer, whatever the case.
void expect_sound(const RequestCase& wire, const Answers& answers, bool ended) {
  EXPECT_EQ(answers.fault, "") << who(wire) << ": the answer is no HTTP";
  EXPECT_TRUE(test::is_required(wire.answers, answers.statuses()))
      << who(wire) << " was answered " << answers.statuses() << " instead of " << wire.answers;
  for (const auto& answer : answers.list) {
    EXPECT_TRUE(answer.headers.contains("x-request-id")) << who(wire) << ": no x-request-id";
    EXPECT_TRUE(answer.headers.contains("date")) << who(wire) << ": no date";
    if (answer.status != 401) continue;
    EXPECT_TRUE(answer.headers.contains("www-authenticate")) << who(wire) << ": 401 alone";
  }
  const bool closes = !answers.list.empty() && answers.list.back().closes();
  EXPECT_TRUE(ended == closes || answers.list.empty())
      << who(wire) << ": 'connection: close' and what the server did are different things";
  if (wire.after == After::close) {
    EXPECT_TRUE(ended) << who(wire) << ": the connection must end and is open";
  }
  if (wire.after == After::keep) {
    EXPECT_FALSE(ended) << who(wire) << ": the connection must stay open and is closed";
  }
}

void expect_only_good_requests_handled(const RequestCase& wire, const ServerWorld& world,
                                       const Answers& answers) {
  size_t good = 0;
  for (const auto& answer : answers.list) {
    good += answer.status == 200 || answer.status == 204 || answer.status == 404;
  }
  const size_t handled = world.handler.handled.size();
  const bool unauthorized = wire.asks == Asks::for_token;  // handle() may be who says so
  EXPECT_TRUE(handled == good || (unauthorized && handled <= 1))
      << who(wire) << ": " << handled << " requests were handled, " << good << " were good";
}

void expect_canary_answered(const RequestCase& wire, ServerWorld& world, Caller& caller) {
  const size_t before = caller.answers().list.size();
  caller.say(std::string(kCanary));
  world.run_for(kLongEnough);
  const Answers answers = caller.answers();
  ASSERT_EQ(answers.list.size(), before + 1) << who(wire) << ": the canary has no answer";
  EXPECT_EQ(answers.list.back().status, 200) << who(wire) << ": the canary has another's answer";
  EXPECT_EQ(answers.list.back().headers.at("x-request-id"), "bird")
      << who(wire) << ": the canary has another's answer";
}

class ServerWireTest : public testing::TestWithParam<RequestCase> {};

// Bodies that go by in parts change nothing of it.
TEST_P(ServerWireTest, AnswersItAsTheTableSays) {
  const RequestCase& wire = GetParam();
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    ServerWorld world(seed, seed % 6 == 1 ? FaultPlan::quick() : FaultPlan{});
    if (seed > 6) world.handler.let_bodies_go(FixedHandler::Goes::in_parts);
    if (wire.asks == Asks::for_token) world.handler.ask_for_token();
    Caller& caller = world.connect();
    say(caller, wire);
    world.run_for(kLongEnough);
    EXPECT_FALSE(caller.broken()) << who(wire) << ": the answer was lost in a reset";
    expect_sound(wire, caller.answers(), caller.ended());
    expect_only_good_requests_handled(wire, world, caller.answers());
    if (!caller.ended() && wire.asks != Asks::for_token) {
      expect_canary_answered(wire, world, caller);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Table, ServerWireTest, testing::ValuesIn(test::request_cases()),
                         [](const auto& wire) { return std::string(wire.param.id); });

TEST(ServerWire, AnswersAThousandConnectionsAtOnce) {
  constexpr size_t kConnections = 1000;
  ServerWorld world(7, FaultPlan{.piece_max = 64 * 1024});
  std::vector<std::pair<const RequestCase*, Caller*>> pairs;
  while (pairs.size() < kConnections) {
    for (const RequestCase& wire : test::request_cases()) {
      if (wire.asks == Asks::for_token || pairs.size() == kConnections) continue;
      pairs.emplace_back(&wire, &world.connect());
      say(*pairs.back().second, wire);
    }
  }
  world.run_for(kLongEnough);
  for (const auto& [wire, caller] : pairs) {
    EXPECT_FALSE(caller->broken()) << who(*wire) << ": the answer was lost in a reset";
    expect_sound(*wire, caller->answers(), caller->ended());
  }
}

// A kept connection carries all good cases one after the other, in one run of bytes.
TEST(ServerWire, AnswersAllGoodCasesPipelinedInOrder) {
  for (uint64_t seed = 11; seed <= 16; ++seed) {
    ServerWorld world(seed);
    if (seed > 13) world.handler.let_bodies_go(FixedHandler::Goes::in_parts);
    std::string all;
    std::string required;
    for (const RequestCase& wire : test::request_cases()) {
      const bool certain = wire.answers.find(" or ") == std::string_view::npos;
      if (wire.after != After::keep || !certain) continue;
      all += wire.bytes;
      required += (required.empty() ? "" : " ") + std::string(wire.answers);
    }
    Caller& caller = world.connect();
    caller.say(all);
    world.run_for(kLongEnough * 4);
    const Answers answers = caller.answers();
    EXPECT_EQ(answers.fault, "") << "the answers are no HTTP, seed " << seed;
    EXPECT_EQ(answers.statuses(), required) << "not the same, or not in order, seed " << seed;
    EXPECT_FALSE(caller.ended()) << "the connection ended, seed " << seed;
  }
}

}  // namespace
}  // namespace fnkit
