// What a caller hears from a ServerConnection, case by case.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "wire/http_cases.hpp"
#include "wire/server_world.hpp"

namespace fnkit {
namespace {

using test::Answers;
using test::Caller;
using test::get;
using test::post;
using test::ServerWorld;

constexpr Duration kLongEnough = std::chrono::seconds(5);

// A seed for each of some runs, so that bytes come in many kinds of pieces.
class ServerAnswersTest : public testing::TestWithParam<uint64_t> {
 protected:
  ServerWorld world{GetParam()};

  Answers ask(const std::string& bytes, bool to_head = false) {
    Caller& caller = world.connect();
    caller.say(bytes);
    world.run_for(kLongEnough);
    Answers answers = caller.answers(to_head);
    EXPECT_EQ(answers.fault, "") << "the answer is no HTTP";
    ended = caller.ended();
    return answers;
  }
  bool ended = false;
};

INSTANTIATE_TEST_SUITE_P(Seeds, ServerAnswersTest, testing::Range<uint64_t>(1, 9));

TEST_P(ServerAnswersTest, HeadIsAnsweredWithTheLengthButWithoutTheBody) {
  const std::string head = "HEAD /livez HTTP/1.1\r\nHost: t\r\n\r\n";
  const Answers answers = ask(head + head, true);
  ASSERT_EQ(answers.statuses(), "200 200");
  EXPECT_EQ(answers.list[0].headers.at("content-length"), "2") << "not what GET would say";
  EXPECT_FALSE(ended) << "a HEAD ended the connection";
}

TEST_P(ServerAnswersTest, ARefusedHeadHasNoBodyEither) {
  const Answers answers =
      ask("HEAD /livez HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999\r\n\r\n", true);
  EXPECT_EQ(answers.statuses(), "413") << "a body followed, or another answer";
}

TEST_P(ServerAnswersTest, NoContentHasNeitherLengthNorBody) {
  const Answers answers = ask("GET /empty HTTP/1.1\r\nHost: t\r\n\r\n" + get({"\r\n"}));
  EXPECT_EQ(answers.statuses(), "204 200") << "the 204 carried something";
}

TEST_P(ServerAnswersTest, AnOldCallerIsToldWhenItsConnectionStays) {
  const Answers closed = ask("GET /livez HTTP/1.0\r\n\r\n");
  EXPECT_EQ(closed.statuses(), "200");
  EXPECT_TRUE(ended && closed.list[0].closes()) << "HTTP/1.0 closes unless asked otherwise";
  const Answers kept = ask("GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ASSERT_EQ(kept.statuses(), "200");
  EXPECT_EQ(kept.list[0].headers.at("connection"), "keep-alive") << "it was not told";
  EXPECT_FALSE(ended) << "it asked for the connection to stay";
}

TEST_P(ServerAnswersTest, ARequestIdIsEchoedAndPassedOn) {
  const Answers answers = ask(get({"X-Request-ID: mine-1\r\n\r\n"}));
  ASSERT_EQ(answers.statuses(), "200");
  EXPECT_EQ(answers.list[0].headers.at("x-request-id"), "mine-1");
  EXPECT_EQ(world.handler.request_ids.at(0), "mine-1") << "the handler was told another";
}

TEST_P(ServerAnswersTest, ANewRequestIdIsMadeWhereNoneFits) {
  const Answers answers = ask(get({"\r\n"}) + get({"X-Request-Id: a b\r\n\r\n"}) +
                              get({"X-Request-Id: ", test::repeat("a", 129), "\r\n\r\n"}) +
                              get({"X-Request-Id:\r\n\r\n"}));
  ASSERT_EQ(answers.statuses(), "200 200 200 200");
  for (size_t i = 0; i < answers.list.size(); ++i) {
    const std::string& id = answers.list[i].headers.at("x-request-id");
    EXPECT_EQ(id.size(), 32U) << "not made here: " << id;
    EXPECT_EQ(id, world.handler.request_ids.at(i)) << "the handler was told another";
    EXPECT_TRUE(i == 0 || id != world.handler.request_ids.at(i - 1)) << "the same one twice";
  }
}

TEST_P(ServerAnswersTest, RefusalsCarryTheCallersRequestId) {
  const std::string id = "X-Request-Id: mine\r\n";
  const std::pair<const char*, std::string> refused[] = {
      {"413", post({id, "Content-Length: 99999999\r\n\r\n"})},
      {"400", post({id, "Transfer-Encoding: chunked\r\n\r\nxyz\r\n"})},
      {"417", post({id, "Expect: rain\r\n\r\n"})},
      {"405", "CONNECT t:1 HTTP/1.1\r\nHost: t\r\n" + id + "\r\n"},
      {"400", "GET /livez HTTP/1.1\r\n" + id + "\r\n"},
  };
  for (const auto& [status, bytes] : refused) {
    const Answers answers = ask(bytes);
    ASSERT_EQ(answers.statuses(), status) << "to " << bytes;
    EXPECT_EQ(answers.list[0].headers.at("x-request-id"), "mine") << "to " << bytes;
    EXPECT_TRUE(ended) << "framing is in doubt, and the connection stayed open";
    EXPECT_EQ(answers.list[0].headers.at("content-type"), "application/json");
  }
}

TEST_P(ServerAnswersTest, AMissingTokenIsSaidBeforeTheBodyIsRead) {
  world.handler.ask_for_token();
  const Answers answers = ask(post({"X-Request-Id: mine\r\nContent-Length: 5\r\n\r\n"}));
  ASSERT_EQ(answers.statuses(), "401");
  EXPECT_EQ(answers.list[0].headers.at("x-request-id"), "mine");
  EXPECT_TRUE(ended) << "its body would have been taken for a request";
  EXPECT_TRUE(world.handler.handled.empty()) << "it was handled all the same";
}

TEST_P(ServerAnswersTest, PipelinedRequestsAreAnsweredInOrder) {
  constexpr size_t kRequests = 60;
  std::string all;
  for (size_t i = 0; i < kRequests; ++i) {
    const std::string body = test::pattern(i * 37, i);
    all += post({"Content-Length: ", std::to_string(body.size()), "\r\n\r\n", body});
  }
  const Answers answers = ask(all);
  ASSERT_EQ(answers.list.size(), kRequests) << "not one answer each";
  for (size_t i = 0; i < kRequests; ++i) {
    EXPECT_EQ(answers.list[i].body, test::pattern(i * 37, i)) << "answer " << i << " is another's";
  }
}

TEST_P(ServerAnswersTest, LargeBodiesGoBothWays) {
  const std::string body = test::pattern(3 * 1024 * 1024);
  world.ring.faults() = test::FaultPlan{.piece_max = 256 * 1024};
  const Answers answers = ask(
      post({"Content-Length: ", std::to_string(body.size()), "\r\n\r\n", body}) + get({"\r\n"}));
  ASSERT_EQ(answers.statuses(), "200 200");
  EXPECT_TRUE(answers.list[0].body == body) << "the body is not what was sent";
}

TEST_P(ServerAnswersTest, AHalfClosedCallerIsAnsweredAllTheSame) {
  Caller& caller = world.connect();
  caller.say(get({"\r\n"}) + get({"\r\n"}));
  caller.say_no_more();
  world.run_for(kLongEnough);
  EXPECT_EQ(caller.answers().statuses(), "200 200") << "printf … | nc gets no answer";
  EXPECT_TRUE(caller.ended()) << "nobody will ask again, and the connection stayed open";
}

TEST_P(ServerAnswersTest, ContinueIsSaidToWhoWaitsForIt) {
  Caller& caller = world.connect();
  caller.say(post({"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"}));
  world.run_for(kLongEnough);
  ASSERT_EQ(caller.heard(), "HTTP/1.1 100 Continue\r\n\r\n") << "F01: it would wait for ever";
  caller.say("hello");
  world.run_for(kLongEnough);
  ASSERT_EQ(caller.answers().statuses(), "100 200");
  EXPECT_EQ(caller.answers().list[1].body, "hello");
}

TEST_P(ServerAnswersTest, ContinueIsNotSaidToWhoIsRefused) {
  const Answers too_large = ask(post({"Expect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"}));
  EXPECT_EQ(too_large.statuses(), "413") << "F03: it was asked for the body first";
  world.handler.ask_for_token();
  const Answers no_token = ask(post({"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"}));
  EXPECT_EQ(no_token.statuses(), "401") << "F04: it was asked for the body first";
}

TEST_P(ServerAnswersTest, ContinueIsNotSaidToHttp10) {
  Caller& caller = world.connect();
  caller.say(
      "POST /orchestrate/echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  world.run_for(kLongEnough);
  EXPECT_EQ(caller.heard(), "") << "F05: it does not know what 100 means";
  caller.say("hello");
  world.run_for(kLongEnough);
  EXPECT_EQ(caller.answers().statuses(), "200");
}

TEST(ServerContinueTest, IsNotSaidWhereAChunkHasBegun) {
  ServerWorld world(1, test::FaultPlan::quick());
  Caller& caller = world.connect();
  caller.say(post({"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"}));
  world.run_for(kLongEnough);
  EXPECT_EQ(caller.heard(), "") << "its sender did not wait for it (RFC 9110 10.1.1)";
}

}  // namespace
}  // namespace fnkit
