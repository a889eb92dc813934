// The scan that stands before llhttp refuses by itself what older llhttps let pass.
#include "http/head_scanner.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "wire/answer_cases.hpp"
#include "wire/http_cases.hpp"

namespace fnkit {
namespace {

using http::HeadScanner;
using http::MessageKind;
using http::MessageLimits;

constexpr MessageLimits kLimits;

bool refuses(MessageKind kind, std::string_view bytes) {
  HeadScanner scanner(kind, kLimits);
  return !scanner.scan(bytes);
}

TEST(HeadScannerTest, RefusesTheHolesOfLlhttp81) {
  const std::vector<std::string_view> holes{"A23", "A25", "A44", "A49", "A52", "A53", "C01", "C02",
                                            "C03", "C05", "C08", "C09", "C10", "C14", "C16", "C17",
                                            "C18", "C19", "D01", "D02", "D03", "D34", "D35"};
  size_t seen = 0;
  for (const auto& wire : test::request_cases()) {
    if (std::find(holes.begin(), holes.end(), wire.id) == holes.end()) continue;
    ++seen;
    EXPECT_TRUE(refuses(MessageKind::request, wire.bytes))
        << wire.id << " (" << wire.name << ") is left to llhttp, of which some version takes it";
  }
  EXPECT_EQ(seen, holes.size()) << "a case is gone from the table";
}

TEST(HeadScannerTest, RefusesAnswersWithTheSameFaults) {
  size_t seen = 0;
  for (const auto& wire : test::bad_answer_cases()) {
    const std::string_view id = wire.id;
    if (!id.starts_with("U16") && !id.starts_with("U17")) continue;
    ++seen;
    EXPECT_TRUE(refuses(MessageKind::response, wire.bytes))
        << wire.id << " (" << wire.name << ") is left to llhttp";
  }
  EXPECT_GE(seen, 15U) << "cases are gone from the table";
}

TEST(HeadScannerTest, TellsWhereTheHeadEnds) {
  const std::string head = test::get({"X: y\r\n\r\n"});
  HeadScanner scanner(MessageKind::request, kLimits);
  for (size_t size = 0; size < head.size(); ++size) {
    const auto scanned = scanner.scan(std::string_view(head).substr(0, size));
    ASSERT_TRUE(scanned) << "refused after " << size << " bytes: " << scanned.error().reason;
    EXPECT_EQ(*scanned, 0U) << "an end was found after " << size << " bytes";
  }
  const std::string more = head + "body\r\n\r\n";
  const auto scanned = scanner.scan(more);
  ASSERT_TRUE(scanned);
  EXPECT_EQ(*scanned, head.size()) << "what follows the head was taken for a part of it";
}

TEST(HeadScannerTest, ReadsOneHeadAfterAnother) {
  const std::string head = test::get({test::repeat("X: y\r\n", 60), "\r\n"});
  HeadScanner scanner(MessageKind::request, kLimits);
  for (int i = 0; i < 5; ++i) {
    const auto scanned = scanner.scan(head);
    ASSERT_TRUE(scanned) << "lines of the head before were counted: " << scanned.error().reason;
    EXPECT_EQ(*scanned, head.size());
    scanner.reset();
  }
}

}  // namespace
}  // namespace fnkit
