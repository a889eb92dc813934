// The table of requests through RequestParser: whole, cut in two at every byte, and byte by byte.
#include <gtest/gtest.h>

#include "fnkit/http/message_parser.hpp"
#include "wire/fixed_handler.hpp"
#include "wire/http_cases.hpp"

namespace fnkit {
namespace {

using http::Arrived;
using http::MessageLimits;
using http::Request;
using http::RequestParser;
using test::Asks;
using test::RequestCase;

// All that a connection's worth of bytes came to.
struct Reading {
  std::string answers;     // as the fixed handler would answer, refusals included
  std::string requests;    // all parts of all requests
  bool stays_open = true;  // nothing refused, nobody asked to close
  bool nothing_left = true;

  void answered(int status) { answers += (answers.empty() ? "" : " ") + std::to_string(status); }
};

// Feeds pieces of one connection's bytes.
class RequestReader {
 public:
  explicit RequestReader(bool token_asked_for)
      : parser_(MessageLimits{}), token_(token_asked_for) {}

  void feed(std::string_view piece) {
    input_.append(piece);
    while (reading_.stays_open && advance()) continue;
  }

  Reading ended() {
    reading_.nothing_left = input_.empty();
    if (reading_.answers.empty()) reading_.answers = "silence";
    return reading_;
  }

 private:
  bool advance() {
    auto arrived = parser_.advance(input_);
    if (!arrived) {
      reading_.answered(arrived.error().status);
      reading_.requests += "refused: " + std::string(arrived.error().reason) + "\n";
      reading_.stays_open = false;
      return false;
    }
    if (*arrived == Arrived::head && token_) refuse(parser_.peek(input_));
    if (*arrived != Arrived::all) return false;
    reading_.stays_open = parser_.keep_alive();
    const Request request = parser_.take(input_);
    if (!token_) describe(request);  // else it may be refused before its body is read
    reading_.answered(test::fixed_answer(request, token_).status);
    return true;
  }

  // What a server does where a body is still to come.
  void refuse(const Request& head) {
    const int status = test::fixed_answer(head, token_).status;
    if (status != 401) return;
    reading_.answered(status);
    reading_.stays_open = false;
  }

  void describe(const Request& request) {
    std::string& text = reading_.requests;
    text += std::string(request.method) + " " + std::string(request.target) + " 1." +
            std::to_string(request.minor_version) + "\n";
    for (const auto& field : request.headers) {
      text += std::string(field.name) + ": '" + std::string(field.value) + "'\n";
    }
    text += std::string(request.body) + "\n";
  }

  RequestParser parser_;
  bool token_;
  Buffer input_;
  Reading reading_;
};

Reading read_in_two(const RequestCase& wire, size_t cut) {
  RequestReader reader(wire.asks == Asks::for_token);
  reader.feed(std::string_view(wire.bytes).substr(0, cut));
  reader.feed(std::string_view(wire.bytes).substr(cut));
  return reader.ended();
}

class RequestParserWireTest : public testing::TestWithParam<RequestCase> {};

TEST_P(RequestParserWireTest, ReadsItAsTheTableSays) {
  const RequestCase& wire = GetParam();
  const Reading whole = read_in_two(wire, wire.bytes.size());
  EXPECT_TRUE(test::is_required(wire.answers, whole.answers))
      << wire.id << " (" << wire.name << ") was answered " << whole.answers << ", but "
      << wire.source << " wants " << wire.answers << "; read was:\n"
      << whole.requests;
  if (wire.after == test::After::keep) {
    EXPECT_TRUE(whole.stays_open && whole.nothing_left)
        << wire.id << " (" << wire.name << ") did not leave the connection as it was found";
  }
}

TEST_P(RequestParserWireTest, ReadsItTheSameHoweverItIsCut) {
  const RequestCase& wire = GetParam();
  const Reading whole = read_in_two(wire, wire.bytes.size());
  for (const size_t cut : test::cuts_of(wire.bytes)) {
    const Reading pieces = read_in_two(wire, cut);
    ASSERT_EQ(pieces.answers, whole.answers) << wire.id << " differs when cut at byte " << cut;
    ASSERT_EQ(pieces.requests, whole.requests) << wire.id << " differs when cut at byte " << cut;
    if (wire.asks == Asks::for_token) continue;  // refused with or without the body read
    ASSERT_EQ(pieces.stays_open, whole.stays_open) << wire.id << " cut at byte " << cut;
  }
  RequestReader reader(wire.asks == Asks::for_token);
  for (const char& byte : wire.bytes) reader.feed({&byte, 1});
  const Reading bytewise = reader.ended();
  EXPECT_EQ(bytewise.answers, whole.answers) << wire.id << " differs byte by byte";
  EXPECT_EQ(bytewise.requests, whole.requests) << wire.id << " differs byte by byte";
}

TEST_P(RequestParserWireTest, GivesItsMemoryBack) {
  read_in_two(GetParam(), GetParam().bytes.size() / 2);
  EXPECT_EQ(Buffer::bytes_held_by_thread(), 0U) << GetParam().id << " left memory behind";
}

INSTANTIATE_TEST_SUITE_P(Table, RequestParserWireTest, testing::ValuesIn(test::request_cases()),
                         [](const auto& wire) { return std::string(wire.param.id); });

// Http11Probe sends it in 1 MiB: what a byte costs must not grow with the body.
TEST(RequestParserWire, ReadsAMebibyteOfOneByteChunks) {
  constexpr size_t kBytes = 1024 * 1024;
  const std::string wire = test::chunked({test::repeat("1\r\na\r\n", kBytes), "0\r\n\r\n"});
  RequestParser parser{MessageLimits{}};
  Buffer input;
  for (size_t at = 0; at < wire.size(); at += 64 * 1024) {
    input.append(std::string_view(wire).substr(at, 64 * 1024));
    auto arrived = parser.advance(input);
    ASSERT_TRUE(arrived) << "refused: " << arrived.error().reason;
    ASSERT_LE(input.size(), kBytes + 64 * 1024) << "more is stored than the body has";
  }
  const Request request = parser.take(input);
  EXPECT_EQ(request.body, std::string(kBytes, 'a')) << "the body is not what was sent";
}

}  // namespace
}  // namespace fnkit
