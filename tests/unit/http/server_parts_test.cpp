// Requests and answers whose bodies go through a ServerConnection in parts, as they come.
#include <gtest/gtest.h>

#include "support/world.hpp"
#include "wire/http_cases.hpp"
#include "wire/server_world.hpp"

namespace fnkit {
namespace {

using test::Answers;
using test::Caller;
using test::FixedHandler;
using test::post;
using test::ServerWorld;

constexpr Duration kSettled = std::chrono::seconds(5);
const std::string kInChunks = "Transfer-Encoding: chunked\r\n\r\n";

// The handler lets through what comes. Each seed has other cuts and delays.
class ServerPartsTest : public testing::TestWithParam<uint64_t> {
 protected:
  ServerPartsTest() { world.handler.let_bodies_go(FixedHandler::Goes::through); }

  Caller& say(const std::string& bytes) {
    Caller& caller = world.connect();
    caller.say(bytes);
    world.run_for(kSettled);
    return caller;
  }

  ServerWorld world{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Seeds, ServerPartsTest, testing::Range<uint64_t>(1, 13));

TEST_P(ServerPartsTest, WhatComesGoes) {
  const std::string large = test::pattern(300'000);
  const std::pair<std::string, std::string> cases[] = {
      {post({kInChunks, "3\r\nabc\r\n3;x=y\r\ndef\r\n0\r\nTrailer: x\r\n\r\n"}), "abcdef"},
      {post({"Content-Length: 300000\r\n\r\n", large}), large},
      {post({"Content-Length: 0\r\n\r\n"}), ""},
      {test::get({"\r\n"}), ""}};
  for (const auto& [bytes, body] : cases) {
    const Answers answers = say(bytes).answers();
    ASSERT_EQ(answers.fault, "");
    ASSERT_EQ(answers.statuses(), "200");
    EXPECT_TRUE(answers.list[0].body == body) << bytes.substr(0, 100);
  }
}

TEST_P(ServerPartsTest, APartGoesBeforeTheNextComes) {
  Caller& caller = say(post({kInChunks, "3\r\nabc\r\n"}));
  EXPECT_NE(caller.heard().find("3\r\nabc\r\n"), std::string::npos) << "it is held back";
  EXPECT_EQ(caller.heard().find("0\r\n\r\n"), std::string::npos);
  caller.say("0\r\n\r\n");
  world.run_for(kSettled);
  EXPECT_EQ(caller.answers().list.at(0).body, "abc");
  // The answer began before it was known that the rest of the request would be good.
  EXPECT_TRUE(caller.answers().list[0].closes() && caller.ended());
}

TEST_P(ServerPartsTest, ToHttp10TheEndOfTheConnectionIsTheEnd) {
  Caller& caller = say("POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_EQ(caller.heard().find("chunked"), std::string::npos) << "it does not know what that is";
  EXPECT_TRUE(caller.heard().ends_with("\r\n\r\nabc") && caller.ended());
}

TEST_P(ServerPartsTest, ToHeadNothingGoes) {
  Caller& caller = say("HEAD / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc");
  EXPECT_TRUE(caller.heard().starts_with("HTTP/1.1 200 OK"));
  EXPECT_TRUE(caller.heard().ends_with("\r\n\r\n")) << "something follows the head";
}

// Whoever reads the answer must not take it for complete.
TEST_P(ServerPartsTest, AnAnswerThatHasBegunIsCutOffWithItsRequest) {
  Caller& nonsense = say(post({kInChunks, "3\r\nabc\r\nzz\r\n"}));
  EXPECT_TRUE(nonsense.ended());
  EXPECT_FALSE(nonsense.heard().ends_with("0\r\n\r\n"));
  Caller& half = say(post({"Content-Length: 9\r\n\r\nabc"}));
  half.say_no_more();
  world.run_for(kSettled);
  EXPECT_TRUE(half.ended());
  EXPECT_FALSE(half.heard().ends_with("0\r\n\r\n"));
  world.options.body_timeout = std::chrono::seconds(1);
  Caller& slow = say(post({"Content-Length: 9\r\n\r\nabc"}));
  EXPECT_TRUE(slow.ended());
  EXPECT_FALSE(slow.heard().ends_with("0\r\n\r\n"));
}

TEST_P(ServerPartsTest, ItIsGivenUpWhereItIsNotRead) {
  world.options.write_timeout = std::chrono::seconds(1);
  Caller& deaf = world.connect_deaf();
  deaf.say(post({"Content-Length: 4000000\r\n\r\n", test::pattern(4'000'000)}));
  ASSERT_TRUE(world.run_until([&] { return world.last_connection_served(); }));
}

TEST_P(ServerPartsTest, ItEndsWithTheServer) {
  say(post({kInChunks, "3\r\nabc\r\n"}));
  world.server().abandon();
  world.server().abandon();
  EXPECT_TRUE(world.run_until([&] { return world.last_connection_served(); }));
}

}  // namespace
}  // namespace fnkit
