#include "fnkit/base/text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace fnkit {
namespace {

using Parts = std::vector<std::string_view>;

TEST(TextTest, LettersAreAsciiOnly) {
  EXPECT_EQ(ascii_lower('A'), 'a');
  EXPECT_EQ(ascii_lower('Z'), 'z');
  for (const char c : {'@', '[', '`', '{', '0', '\xC4', '\0'}) {
    EXPECT_EQ(ascii_lower(c), c);
    EXPECT_FALSE(is_alpha(c));
  }
  EXPECT_TRUE(is_digit('0') && is_digit('9'));
  EXPECT_FALSE(is_digit('/') || is_digit(':') || is_digit('\xB2'));
}

TEST(TextTest, ComparesIgnoringCase) {
  EXPECT_TRUE(equals_ignoring_case("Content-Length", "cONTENT-lENGTH"));
  EXPECT_TRUE(equals_ignoring_case("", ""));
  EXPECT_FALSE(equals_ignoring_case("a", "ab"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));  // differ in the bit that letters differ in
}

TEST(TextTest, TrimsSpacesAndTabsOnly) {
  EXPECT_EQ(trim(" \t a b\t "), "a b");
  EXPECT_EQ(trim(" \t"), "");
  EXPECT_EQ(trim("\na\r"), "\na\r");
}

TEST(TextTest, ReadsDecimalNumbersAndNothingElse) {
  EXPECT_EQ(parse_decimal("0"), 0U);
  EXPECT_EQ(parse_decimal("007"), 7U);
  EXPECT_EQ(parse_decimal("18446744073709551615"), UINT64_MAX);
  for (const std::string_view bad : {"", "18446744073709551616", "-1", "+1", " 1", "1 ", "0x1",
                                     "1e3", "1.0", "99999999999999999999999"}) {
    EXPECT_EQ(parse_decimal(bad), std::nullopt) << bad;
  }
}

TEST(TextTest, SplitsAndTrims) {
  EXPECT_EQ(split("", ','), Parts{});
  EXPECT_EQ(split("a", ','), Parts{"a"});
  EXPECT_EQ(split(" a ,b\t,, c", ','), (Parts{"a", "b", "", "c"}));
  EXPECT_EQ(split("a,", ','), (Parts{"a", ""}));
  EXPECT_EQ(split(",", ','), (Parts{"", ""}));
}

TEST(TextTest, FindsTheMembersOfAList) {
  EXPECT_TRUE(list_contains("keep-alive, Close", "close"));
  EXPECT_TRUE(list_contains("close", "CLOSE"));
  EXPECT_TRUE(list_contains(",, close\t,", "close"));
  EXPECT_FALSE(list_contains("closed, en close", "close"));
  EXPECT_FALSE(list_contains("", "close"));
}

}  // namespace
}  // namespace fnkit
