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

using Written = std::vector<RandomMessage>;
using Pieces = std::vector<std::string>;

// Feeds `pieces`, and has `take(message)` look at what has come of the next of `written`: true when
// that is complete, and was compared.
template <class Take>
void feed(const Pieces& pieces, const Written& written, Buffer& input, Take take) {
  size_t count = 0;
  for (const std::string& piece : pieces) {
    input.append(piece);
    while (count < written.size() && take(written[count])) ++count;
  }
  EXPECT_EQ(count, written.size()) << "a message did not come out";
  EXPECT_TRUE(input.empty()) << "bytes were left over";
}

// How far the next message has come; a refusal is a failure.
Arrived accepted(const Result<Arrived, http::ProtocolError>& arrived) {
  if (arrived) return *arrived;
  ADD_FAILURE() << "a good message was refused: " << arrived.error().reason;
  return Arrived::not_yet;
}

void read_requests(const Pieces& pieces, const Written& written) {
  RequestParser parser{MessageLimits{}};
  Buffer input;
  feed(pieces, written, input, [&](const RandomMessage& message) {
    if (accepted(parser.advance(input)) != Arrived::all) return false;
    EXPECT_EQ(parser.keep_alive(), message.keep_alive);
    const Request request = parser.take(input);
    expect_same(request, message);
    return true;
  });
}

void read_responses(const Pieces& pieces, const Written& written) {
  ResponseParser parser{MessageLimits{}};
  Buffer input;
  parser.begin(false);
  feed(pieces, written, input, [&](const RandomMessage& message) {
    if (accepted(parser.advance(input, false)) != Arrived::all) return false;
    const IncomingResponse response = parser.take(input);
    EXPECT_EQ(response.status, message.status);
    EXPECT_EQ(response.reusable, message.keep_alive);
    EXPECT_TRUE(response.body.bytes == message.body);
    parser.begin(false);
    return true;
  });
}

// The same with heads and bodies apart.
void read_requests_in_parts(const Pieces& pieces, const Written& written) {
  RequestParser parser{MessageLimits{}};
  Buffer input;
  Request request;
  std::string body;
  feed(pieces, written, input, [&](const RandomMessage& message) {
    if (accepted(parser.advance(input)) == Arrived::not_yet) return false;
    if (!parser.in_parts()) request = parser.take_head(input);
    const http::BodyPart part = parser.take_part(input);
    body += part.bytes.view();
    if (!part.last) return false;
    EXPECT_FALSE(parser.in_parts());
    request.body = body;
    expect_same(request, message);
    request = Request();
    body.clear();
    return true;
  });
}

void read_responses_in_parts(const Pieces& pieces, const Written& written) {
  ResponseParser parser{MessageLimits{}};
  Buffer input;
  std::optional<http::IncomingHead> head;
  std::string body;
  parser.begin(false);
  feed(pieces, written, input, [&](const RandomMessage& message) {
    if (accepted(parser.advance(input, false)) == Arrived::not_yet) return false;
    if (!head) head = parser.take_head(input);
    const http::BodyPart part = parser.take_part(input);
    body += part.bytes.view();
    if (!part.last) return false;
    EXPECT_EQ(head->status, message.status);
    EXPECT_EQ(head->reusable, message.keep_alive);
    EXPECT_TRUE(body == message.body);
    EXPECT_EQ(head->body_bytes.value_or(body.size()), body.size());
    head.reset();
    body.clear();
    parser.begin(false);
    return true;
  });
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
