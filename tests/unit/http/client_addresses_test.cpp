// A function at several addresses, some of which refuse for a while. localhost is two addresses.
#include <gtest/gtest.h>

#include "fnkit/net/connect.hpp"
#include "http/destination.hpp"
#include "unit/http/function_world.hpp"

namespace fnkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FunctionWorld;
using Call = FunctionWorld::Call;

constexpr std::string_view kFour = "127.0.0.1:8080";
constexpr std::string_view kSix = "[::1]:8080";
constexpr std::string_view kOne = "10.0.0.7:8080";

class ClientAddressesTest : public testing::TestWithParam<uint64_t> {
 protected:
  Call& call(std::string_view name) { return world_.call(name, {.host = "localhost"}); }
  Call& call_one(std::string_view name) { return world_.call(name, {.address = kOne}); }
  std::string_view place_of(std::string_view name) {
    EXPECT_TRUE(world_.run_until_asked(name)) << name;
    return world_.place_of(world_.asked_on(name));
  }
  void expect_answer(Call& call) {
    ASSERT_TRUE(world_.run_until_done(call)) << call.head;
    EXPECT_TRUE(call.text().starts_with("200 ")) << call.text();
  }
  // Sockets of connections that are being opened, where none is open.
  size_t connecting() { return world_.ring.open_sockets() - 1; }

  FunctionWorld world_{GetParam()};
};

TEST_P(ClientAddressesTest, TheOneWithTheFewestCallsComesFirst) {
  world_.listen_at(kFour);
  world_.listen_at(kSix);
  std::map<std::string_view, int> calls;
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) call(name);
  for (const char* name : {"a", "b", "c", "d", "e", "f"}) ++calls[place_of(name)];
  EXPECT_EQ(calls[kFour], 3);
  EXPECT_EQ(calls[kSix], 3);
  // Two less at one of them: the next two go there.
  world_.answer(world_.asked_on("a"), "a");
  const std::string_view there = world_.place_of(world_.asked_on("a"));
  const char* other = nullptr;
  for (const char* name : {"b", "c", "d", "e", "f"}) {
    if (world_.place_of(world_.asked_on(name)) == there) other = name;
  }
  world_.answer(world_.asked_on(other), other);
  world_.settle();
  const size_t accepted = world_.accepted();
  for (const char* name : {"g", "h"}) {
    call(name);
    EXPECT_EQ(place_of(name), there) << name;
  }
  EXPECT_EQ(world_.accepted(), accepted) << "free connections were left unused";
}

TEST_P(ClientAddressesTest, CallsOneAfterTheOtherUseTheirConnectionsAgain) {
  world_.listen_at(kFour);
  world_.listen_at(kSix);
  world_.answer_by_itself();
  std::map<std::string_view, int> calls;
  for (int i = 0; i < 10; ++i) {
    const std::string name = "n" + std::to_string(i);
    expect_answer(call(name));
    ++calls[place_of(name)];
  }
  EXPECT_LE(world_.accepted(), 2U);
  EXPECT_GE(calls[kFour], 4);
  EXPECT_GE(calls[kSix], 4);
}

TEST_P(ClientAddressesTest, OneThatRefusesIsLeftOutAndTheOtherIsUsed) {
  world_.listen_at(kSix);
  world_.answer_by_itself();
  for (int i = 0; i < 50; ++i) {
    expect_answer(call("n" + std::to_string(i)));
    world_.run_for(milliseconds(20));
  }
  EXPECT_LE(world_.accepted(), 8U);
  // It is back: within a second it has a share again.
  world_.listen_at(kFour);
  world_.run_for(seconds(1));
  world_.answer_no_more();
  std::map<std::string_view, int> calls;
  for (const char* name : {"a", "b", "c", "d"}) call(name);
  for (const char* name : {"a", "b", "c", "d"}) ++calls[place_of(name)];
  EXPECT_GE(calls[kFour], 1);
  EXPECT_GE(calls[kSix], 2);
}

TEST_P(ClientAddressesTest, RefusedByAllIsUnreachableAtOnceAndThenWithoutAConnect) {
  const Instant begun = world_.ring.now();
  Call& first = call("first");
  ASSERT_TRUE(world_.run_until_done(first));
  EXPECT_TRUE(first.text().starts_with("unreachable: connect to ")) << first.text();
  EXPECT_LT(first.ended, later(begun, milliseconds(20)));
  const size_t sockets = world_.ring.open_sockets();
  Call& second = call("second");
  EXPECT_TRUE(second.done()) << "it tried again";
  EXPECT_EQ(world_.ring.open_sockets(), sockets);
  EXPECT_EQ(second.text(), first.text());
}

TEST_P(ClientAddressesTest, AfterARefusalOneTriesAtATime) {
  Call& refused = call_one("refused");
  ASSERT_TRUE(world_.run_until_done(refused));
  world_.run_for(milliseconds(60));
  ASSERT_EQ(connecting(), 0U);
  world_.ring.faults().connect_lost = 100;
  for (const char* name : {"a", "b", "c"}) call_one(name);
  EXPECT_EQ(connecting(), 1U);
  world_.run_for(seconds(2));
  call_one("d");
  EXPECT_EQ(connecting(), 1U);
}

TEST_P(ClientAddressesTest, WhereOneDoesNotAnswerAnotherIsTriedSoon) {
  world_.listen_at(kFour);
  world_.listen_at(kSix);
  world_.answer_by_itself();
  world_.ring.faults().connect_lost = 100;
  const Instant begun = world_.ring.now();
  Call& first = call("first");
  world_.run_for(net::kAttemptDelay - milliseconds(20));
  world_.ring.faults().connect_lost = 0;
  expect_answer(first);
  EXPECT_GT(first.ended, later(begun, net::kAttemptDelay));
  EXPECT_LT(first.ended, later(begun, net::kAttemptDelay + milliseconds(20)));
  // Meanwhile those after it go where there was an answer.
  for (int i = 0; i < 5; ++i) {
    const Instant now = world_.ring.now();
    Call& next = call("next" + std::to_string(i));
    expect_answer(next);
    EXPECT_LT(next.ended, later(now, milliseconds(20)));
  }
}

TEST_P(ClientAddressesTest, ManyRefusedAtOnceAreOneRefusal) {
  std::vector<Call*> calls;
  for (int i = 0; i < 10; ++i) calls.push_back(&call_one("refused"));
  for (Call* each : calls) ASSERT_TRUE(world_.run_until_done(*each));
  world_.listen_at(kOne);
  world_.answer_by_itself();
  world_.run_for(http::Destination::kLeftOutMin);
  expect_answer(call_one("back"));
}

TEST_P(ClientAddressesTest, WhenOneWhoTriedIsAcceptedTheOthersFollow) {
  Call& refused = call_one("refused");
  ASSERT_TRUE(world_.run_until_done(refused));
  world_.run_for(milliseconds(60));
  world_.listen_at(kOne);
  world_.answer_by_itself();
  std::vector<Call*> calls;
  for (const char* name : {"a", "b", "c"}) calls.push_back(&call_one(name));
  for (Call* each : calls) expect_answer(*each);
}

TEST_P(ClientAddressesTest, ItIsFoundAgainWithinASecond) {
  for (int i = 0; i < 200; ++i) {  // as long as it takes to be left out for the longest time
    Call& refused = call_one("refused");
    ASSERT_TRUE(world_.run_until_done(refused));
    ASSERT_EQ(refused.text().substr(0, 12), "unreachable:");
    world_.run_for(milliseconds(20));
  }
  world_.listen_at(kOne);
  world_.answer_by_itself();
  const Instant back = world_.ring.now();
  while (world_.ring.now() < later(back, seconds(2))) {
    Call& call = call_one("now");
    ASSERT_TRUE(world_.run_until_done(call));
    if (call.text() == "200 now") break;
    world_.run_for(milliseconds(10));
  }
  EXPECT_LT(world_.ring.now(), later(back, seconds(1)));
}

// One call is in progress, so there is a prospect; another waits for what may be possible later.
TEST_P(ClientAddressesTest, AWaitingCallTriesAgain) {
  world_.listen_at(kOne);
  Call& busy = call_one("busy");
  ASSERT_TRUE(world_.run_until_asked("busy"));
  world_.refuse_at(kOne);
  Call& waiting = call_one("waiting");
  world_.run_for(seconds(2));
  EXPECT_EQ(busy.text() + ", " + waiting.text(), "pending, pending");
  world_.listen_at(kOne);
  const Instant back = world_.ring.now();
  ASSERT_TRUE(world_.run_until_asked("waiting"));
  EXPECT_LT(world_.ring.now(), later(back, seconds(1)));
}

TEST_P(ClientAddressesTest, AnAddressThatIsForbiddenIsUnreachable) {
  Call& call = world_.call("anybody", {.address = "224.0.0.1:80"});
  EXPECT_EQ(call.text(), "unreachable: 224.0.0.1:80, an address that no function may have");
}

// ---- Destination by itself

Duration left_out_for(http::Destination& destination, Instant& now, Random& random) {
  destination.refused(now, random);
  const Instant from = now;
  while (destination.left_out(now)) now += milliseconds(1);
  return now - from;
}

TEST_P(ClientAddressesTest, TheTimeLeftOutGrowsToLessThanASecond) {
  http::Destination destination(*net::Address::parse(kFour));
  Random random(GetParam());
  Instant now = world_.ring.now();
  EXPECT_FALSE(destination.left_out(now));
  EXPECT_GT(destination.connecting_max(), 1U);
  for (const int64_t most : {50, 100, 200, 400, 800, 800, 800, 800, 800, 800, 800, 800}) {
    const Duration wait = left_out_for(destination, now, random);
    EXPECT_LE(wait, milliseconds(most));
    EXPECT_GE(wait, milliseconds(most) * 3 / 4);
    EXPECT_EQ(destination.connecting_max(), 1U);
  }
  destination.accepted();
  EXPECT_GT(destination.connecting_max(), 1U);
  EXPECT_LE(left_out_for(destination, now, random), milliseconds(50));
}

TEST(DestinationTest, TwoCoresDoNotComeBackTogether) {
  Random one(1);
  Random other(2);
  http::Destination first(*net::Address::parse(kFour));
  http::Destination second(*net::Address::parse(kFour));
  int different = 0;
  for (int i = 0; i < 10; ++i) {
    Instant now{seconds(i)};
    Instant also_now{seconds(i)};
    different += left_out_for(first, now, one) != left_out_for(second, also_now, other);
  }
  EXPECT_GE(different, 5);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ClientAddressesTest, testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace fnkit
