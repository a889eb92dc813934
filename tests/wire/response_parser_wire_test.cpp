// The table of answers through ResponseParser: whole, cut in two at every byte, and byte by byte.
#include <gtest/gtest.h>

#include "fnkit/http/message_parser.hpp"
#include "wire/answer_cases.hpp"
#include "wire/http_cases.hpp"

namespace fnkit {
namespace {

using http::Arrived;
using http::IncomingResponse;
using http::MessageLimits;
using http::ResponseParser;
using test::AnswerCase;

struct Taken {
  int status = 0;  // 502: refused; 0: waits for more
  std::string text;
  bool reusable = false;
  bool operator==(const Taken&) const = default;
};

enum class Goes { whole, in_parts };

// One connection on which one answer is expected.
class AnswerReader {
 public:
  explicit AnswerReader(const AnswerCase& wire, Goes how = Goes::whole)
      : wire_(wire), how_(how), parser_(limits()) {
    parser_.begin(wire.asked == test::Asked::head);
  }

  void feed(std::string_view piece) {
    input_.append(piece);
    if (taken_.status == 0) advance(false);
  }

  Taken ended() {
    if (wire_.peer == test::Peer::ends && taken_.status == 0) advance(true);
    taken_.reusable = taken_.reusable && input_.empty();
    return taken_;
  }

 private:
  static MessageLimits limits() {
    MessageLimits limits;
    limits.body_bytes_max = test::kAnswerBodyMax;
    return limits;
  }

  void advance(bool at_end) {
    auto arrived = parser_.advance(input_, at_end);
    if (!arrived) {
      taken_ = {arrived.error().status, std::string(arrived.error().reason)};
    } else if (how_ == Goes::in_parts && *arrived != Arrived::not_yet) {
      take_part();
    } else if (*arrived == Arrived::all) {
      const IncomingResponse response = parser_.take(input_);
      taken_ = {response.status, std::string(response.body.bytes), response.reusable};
    }
  }

  void take_part() {
    if (!head_) head_ = parser_.take_head(input_);
    const http::BodyPart part = parser_.take_part(input_);
    body_ += part.bytes.view();
    if (part.last) taken_ = {head_->status, body_, head_->reusable};
  }

  const AnswerCase& wire_;
  const Goes how_;
  ResponseParser parser_;
  std::optional<http::IncomingHead> head_;
  std::string body_;
  Buffer input_;
  Taken taken_;
};

Taken read_in_two(const AnswerCase& wire, size_t cut, Goes how = Goes::whole) {
  AnswerReader reader(wire, how);
  reader.feed(std::string_view(wire.bytes).substr(0, cut));
  reader.feed(std::string_view(wire.bytes).substr(cut));
  return reader.ended();
}

class ResponseParserWireTest : public testing::TestWithParam<AnswerCase> {};

TEST_P(ResponseParserWireTest, TakesItAsTheTableSays) {
  const AnswerCase& wire = GetParam();
  const Taken whole = read_in_two(wire, wire.bytes.size());
  ASSERT_EQ(whole.status, wire.status)
      << wire.id << " (" << wire.name << ") was taken as " << whole.status << " by '"
      << whole.text.substr(0, 200) << "' against " << wire.source;
  if (wire.status == 502) return;
  EXPECT_TRUE(whole.text == wire.body)
      << wire.id << " (" << wire.name << ") has the body '" << whole.text.substr(0, 200) << "'";
  EXPECT_EQ(whole.reusable, wire.reuse == test::Reuse::yes)
      << wire.id << " (" << wire.name << "): whether its connection is used again; " << wire.source;
}

TEST_P(ResponseParserWireTest, TakesItTheSameHoweverItIsCut) {
  const AnswerCase& wire = GetParam();
  const Taken whole = read_in_two(wire, wire.bytes.size());
  for (const size_t cut : test::cuts_of(wire.bytes)) {
    const Taken pieces = read_in_two(wire, cut);
    ASSERT_EQ(pieces.status, whole.status) << wire.id << " differs when cut at byte " << cut;
    ASSERT_TRUE(pieces == whole) << wire.id << " cut at byte " << cut << ": '"
                                 << pieces.text.substr(0, 200) << "' instead of '"
                                 << whole.text.substr(0, 200) << "'";
  }
  AnswerReader reader(wire);
  for (const char& byte : wire.bytes) reader.feed({&byte, 1});
  EXPECT_TRUE(reader.ended() == whole) << wire.id << " differs byte by byte";
}

TEST_P(ResponseParserWireTest, TakesItTheSameInParts) {
  const AnswerCase& wire = GetParam();
  const Taken whole = read_in_two(wire, wire.bytes.size());
  for (const size_t cut : test::cuts_of(wire.bytes)) {
    ASSERT_TRUE(read_in_two(wire, cut, Goes::in_parts) == whole)
        << wire.id << " differs in parts, cut at byte " << cut;
  }
  AnswerReader reader(wire, Goes::in_parts);
  for (const char& byte : wire.bytes) reader.feed({&byte, 1});
  EXPECT_TRUE(reader.ended() == whole) << wire.id << " differs in parts, byte by byte";
}

TEST_P(ResponseParserWireTest, GivesItsMemoryBack) {
  read_in_two(GetParam(), GetParam().bytes.size() / 2);
  EXPECT_EQ(Buffer::bytes_held_by_thread(), 0U) << GetParam().id << " left memory behind";
}

const auto kName = [](const auto& wire) { return std::string(wire.param.id); };
INSTANTIATE_TEST_SUITE_P(Good, ResponseParserWireTest, testing::ValuesIn(test::answer_cases()),
                         kName);
INSTANTIATE_TEST_SUITE_P(Bad, ResponseParserWireTest, testing::ValuesIn(test::bad_answer_cases()),
                         kName);

}  // namespace
}  // namespace fnkit
