// Random valid messages: what is read is what was written, however the bytes are cut.
#include <gtest/gtest.h>

#include "fnkit/coro/frame_pool.hpp"
#include "fnkit/http/message_parser.hpp"
#include "wire/random_message.hpp"

namespace fnkit {
namespace {

using http::Arrived;
using http::HeaderField;
using http::IncomingResponse;
using http::MessageLimits;
using http::Request;
using http::RequestParser;
using http::ResponseParser;
using test::RandomMessage;

constexpr uint64_t kSeeds = 1500;
constexpr size_t kMessages = 4;  // in a row, as pipelined

void expect_same(const Request& read, const RandomMessage& written) {
  EXPECT_EQ(read.method, written.method);
  EXPECT_EQ(read.target, written.target);
  EXPECT_EQ(read.minor_version, written.minor_version);
  EXPECT_TRUE(read.body == written.body) << "a body of " << written.body.size() << " bytes";
  ASSERT_EQ(read.headers.size(), written.headers.size()) << "header lines were lost or made up";
  for (size_t i = 0; i < written.headers.size(); ++i) {
    const HeaderField& field = read.headers[i];
    EXPECT_EQ(field.name, written.headers[i].first);
    EXPECT_EQ(field.value, written.headers[i].second) << "of " << field.name;
  }
}

// Feeds `pieces` and compares each request that comes out with the next of `written`.
void read_requests(const std::vector<std::string>& pieces,
                   const std::vector<RandomMessage>& written) {
  RequestParser parser{MessageLimits{}};
  Buffer input;
  size_t count = 0;
  for (const std::string& piece : pieces) {
    input.append(piece);
    while (true) {
      auto arrived = parser.advance(input);
      ASSERT_TRUE(arrived) << "request " << count << " was refused: " << arrived.error().reason;
      if (*arrived != Arrived::all) break;
      ASSERT_LT(count, written.size()) << "more requests came out than went in";
      EXPECT_EQ(parser.keep_alive(), written[count].keep_alive);
      const Request request = parser.take(input);
      expect_same(request, written[count++]);
    }
  }
  EXPECT_EQ(count, written.size()) << "a request did not come out";
  EXPECT_TRUE(input.empty()) << "bytes were left over";
}

void read_responses(const std::vector<std::string>& pieces,
                    const std::vector<RandomMessage>& written) {
  ResponseParser parser{MessageLimits{}};
  Buffer input;
  size_t count = 0;
  parser.begin(false);
  for (const std::string& piece : pieces) {
    input.append(piece);
    while (count < written.size()) {
      auto arrived = parser.advance(input, false);
      ASSERT_TRUE(arrived) << "answer " << count << " was refused: " << arrived.error().reason;
      if (*arrived != Arrived::all) break;
      const IncomingResponse response = parser.take(input);
      EXPECT_EQ(response.status, written[count].status);
      EXPECT_EQ(response.reusable, written[count].keep_alive);
      EXPECT_TRUE(response.body.bytes == written[count].body);
      ++count;
      parser.begin(false);
    }
  }
  EXPECT_EQ(count, written.size()) << "an answer did not come out";
  EXPECT_TRUE(input.empty()) << "bytes were left over";
}

// The same with heads and bodies apart.
void read_requests_in_parts(const std::vector<std::string>& pieces,
                            const std::vector<RandomMessage>& written) {
  RequestParser parser{MessageLimits{}};
  Buffer input;
  size_t count = 0;
  Request request;
  std::string body;
  for (const std::string& piece : pieces) {
    input.append(piece);
    while (true) {
      auto arrived = parser.advance(input);
      ASSERT_TRUE(arrived) << "request " << count << " was refused: " << arrived.error().reason;
      if (*arrived == Arrived::not_yet) break;
      if (!parser.in_parts()) request = parser.take_head(input);
      const http::BodyPart part = parser.take_part(input);
      body += part.bytes.view();
      if (!part.last) break;
      ASSERT_LT(count, written.size()) << "more requests came out than went in";
      EXPECT_FALSE(parser.in_parts());
      request.body = body;
      expect_same(request, written[count++]);
      body.clear();
    }
  }
  request = Request();
  EXPECT_EQ(count, written.size()) << "a request did not come out";
  EXPECT_TRUE(input.empty()) << "bytes were left over";
}

void read_responses_in_parts(const std::vector<std::string>& pieces,
                             const std::vector<RandomMessage>& written) {
  ResponseParser parser{MessageLimits{}};
  Buffer input;
  size_t count = 0;
  std::optional<http::IncomingHead> head;
  std::string body;
  parser.begin(false);
  for (const std::string& piece : pieces) {
    input.append(piece);
    while (count < written.size()) {
      auto arrived = parser.advance(input, false);
      ASSERT_TRUE(arrived) << "answer " << count << " was refused: " << arrived.error().reason;
      if (*arrived == Arrived::not_yet) break;
      if (!head) head = parser.take_head(input);
      const http::BodyPart part = parser.take_part(input);
      body += part.bytes.view();
      if (!part.last) break;
      EXPECT_EQ(head->status, written[count].status);
      EXPECT_TRUE(body == written[count].body);
      EXPECT_EQ(head->body_bytes.value_or(body.size()), body.size());
      ++count;
      head.reset();
      body.clear();
      parser.begin(false);
    }
  }
  EXPECT_EQ(count, written.size()) << "an answer did not come out";
  EXPECT_TRUE(input.empty()) << "bytes were left over";
}

template <class Make, class Read>
void hold(Make make, Read read) {
  for (uint64_t seed = 1; seed <= kSeeds && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    std::vector<RandomMessage> written;
    std::string bytes;
    for (size_t i = 0; i < kMessages; ++i) {
      written.push_back(make(random));
      bytes += written.back().bytes;
    }
    read({bytes}, written);
    read(test::random_pieces(random, bytes), written);
    EXPECT_EQ(Buffer::bytes_held_by_thread(), 0U) << "memory has not come back";
  }
  EXPECT_EQ(coro::frames_alive(), 0U) << "a coroutine has not ended";
}

TEST(MessagePropertyTest, RequestsAreReadAsTheyWereWritten) {
  hold(&test::random_request, &read_requests);
}

TEST(MessagePropertyTest, AnswersAreReadAsTheyWereWritten) {
  hold(&test::random_response, &read_responses);
}

TEST(MessagePropertyTest, RequestsAreReadInPartsAsTheyWereWritten) {
  hold(&test::random_request, &read_requests_in_parts);
}

TEST(MessagePropertyTest, AnswersAreReadInPartsAsTheyWereWritten) {
  hold(&test::random_response, &read_responses_in_parts);
}

}  // namespace
}  // namespace fnkit
