#include "fnkit/json/validate.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>

namespace fnkit::json {
namespace {

using namespace std::string_view_literals;

std::string repeated(std::string_view part, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += part;
  return text;
}

std::string nested(size_t depth) { return repeated("[", depth) + repeated("]", depth); }

// Names in comments are files of github.com/nst/JSONTestSuite, which says y_ (must be accepted), n_
// (must be refused) or i_ (up to us: as JSON.parse of node 20 does).
void expect_all(bool valid, std::initializer_list<std::string_view> texts) {
  for (const std::string_view text : texts) {
    EXPECT_EQ(is_valid(text), valid) << testing::PrintToString(text);
  }
}

TEST(Validate, AnyKindOfValueIsAText) {
  expect_all(true, {"null", "true", "false", "0", "-1", R"("")", R"("a")", "[]", "{}", " [] ",
                    "\t\r\n1\n", "[ ]", "{ }"});
}

TEST(Validate, NothingOrMoreThanOneValueIsNoText) {
  expect_all(false, {"", " ", "1 2", "[][]", "[1]x", "{}}", "]", "}", ",", ":", "[1],", "1,"});
}

TEST(Validate, ArraysAndObjectsNestInAnyMix) {
  expect_all(true, {"[1,2]", "[[],[]]", R"({"a":1})", R"({"a":{"b":[{"c":null}]},"d":[[1],{}]})",
                    R"( { "a" : [ 1 , { "b" : 2 } ] , "c" : "" } )", R"({"":0})",
                    R"({"a":1,"a":2})" /* y_object_duplicated_key */});
}

TEST(Validate, MisplacedPunctuationIsRefused) {
  expect_all(false, {"[",
                     "{",
                     "[1",
                     "[1,",
                     "[1,]",
                     "[,1]",
                     "[1,,2]",
                     "[1 2]",
                     "[1:2]",
                     "[1}",
                     R"({"a":1)",
                     R"({"a":1,)",
                     R"({"a":1,})",
                     R"({,"a":1})",
                     R"({"a")",
                     R"({"a":)",
                     R"({"a":})",
                     R"({"a" 1})",
                     R"({"a",1})",
                     R"({"a":1 "b":2})",
                     R"({"a":1:2})",
                     R"({"a":1])",
                     R"({1:1})",
                     R"({a:1})",
                     R"({'a':1})",
                     R"({"a":[})",
                     R"([{"a":]})",
                     R"({"a":1;"b":2})",
                     R"({null:1})"});
}

TEST(Validate, LiteralsAreLowerCaseAndWhole) {
  expect_all(false, {"nul", "nulll", "tru", "fals", "True", "NULL", "NaN", "Infinity", "-Infinity",
                     "undefined", "t", "[nu]", "[truth]", "'a'", "/**/1", "1//", "#1", "*"});
}

TEST(Validate, NumbersFollowTheGrammar) {
  expect_all(true, {"-0", "10", "0.5", "-0.5", "1e5", "1E5", "1e+5", "1e-5", "1E-05", "0e0",
                    "1.5e3", "123.456e78", "[0,-0.0]"});
  expect_all(false, {"-",   "+1",      "01",          "-01", "00",  "1.",    ".5",
                     "-.5", "1.e5",    "1e",          "1e+", "1e-", "1.5.5", "1e5.5",
                     "0x1", "1_000",   "1a",          "- 1", "--1", "1+1",   "[1.]",
                     "[-]", "1\u00A0", "\xEF\xBC\x91" /* n_number_U+FF11_fullwidth_digit_one */});
}

TEST(Validate, NumbersHaveAnyMagnitudeAndLength) {
  expect_all(true, {"12345678901234567890", "-123456789012345678901234567890", "1e999", "-1e999",
                    "1e-999", "123123e100000", "0.4e00669999999999999999999999969999999006"});
  EXPECT_TRUE(is_valid(repeated("7", 1'000'000)));
  EXPECT_TRUE(is_valid(repeated("0.", 1) + repeated("0", 1'000'000) + "1"));
}

TEST(Validate, StringsKnowTheirEscapes) {
  expect_all(true, {R"("\"\\\/\b\f\n\r\t")", R"("\u0000\uABCD\uabcd")", R"("\uD83D\uDE00")",
                    R"("\uD800")" /* i_string_1st_surrogate_but_2nd_missing */,
                    R"("\uDE00\uD83D")" /* i_string_inverted_surrogates */, "\"\x7f\"",
                    "\"\u2028\u2029\"", "\"größe 東京 😀\"", R"("a long plain run, then\n\\")"});
  expect_all(false, {R"(")", R"("a)", R"("\")", R"("\)", R"("\a")", R"("\x41")", R"("\'")",
                     R"("\U0041")", R"("\u")", R"("\u12")", R"("\u123")", R"("\u123g")", R"("\u)",
                     R"("\u12)", "\"\\\n\"", "\"\\\0\""sv, "\"\\\xC3\xA9\""});
}

TEST(Validate, ControlCharactersMustBeEscapedWhereverTheyStand) {
  for (size_t before = 0; before < 20; ++before) {
    for (char control = 0; control < 0x20; ++control) {
      const std::string text = '"' + std::string(before, 'x') + control + "xxxxxxxxxxxx\"";
      EXPECT_FALSE(is_valid(text)) << before << ' ' << static_cast<int>(control);
    }
  }
  expect_all(false, {"[\v]", "[\f]", "\0"sv, "1\0"sv, "[\xC2\xA0]", "[\u2060]"});
}

TEST(Validate, OnlyValidUtf8IsJson) {
  expect_all(false, {"\"\xFF\"", "\"\x80\"", "\"\xC0\xAF\"", "\"\xE0\x80\x80\"", "\"\xED\xA0\x80\"",
                     "\"\xF4\x90\x80\x80\"", "\"\xE2\x82\"", "\"\xF0\x9F\x98\"", "\"a\xC3\"",
                     "{\"\xB9\":0}", "[\xE5]"});
}

TEST(Validate, AByteOrderMarkIsNotJson) {
  expect_all(false, {"\xEF\xBB\xBF{}", "\xEF\xBB\xBF", "\xFF\xFE[\0]\0"sv});
  EXPECT_TRUE(is_valid("\"\xEF\xBB\xBF\"")) << "within a string it is a character";
}

TEST(Validate, NestingEndsAt1024) {
  EXPECT_TRUE(is_valid(nested(1024)));
  EXPECT_FALSE(is_valid(nested(1025)));
  EXPECT_TRUE(is_valid(repeated(R"({"a":)", 1024) + "1" + repeated("}", 1024)));
  EXPECT_FALSE(is_valid(repeated(R"({"a":)", 1025) + "1" + repeated("}", 1025)));
  EXPECT_FALSE(is_valid(repeated("[", 1025) + repeated("]", 1024)));
  EXPECT_TRUE(is_valid(repeated("[", 1) + repeated("[[]],", 100'000) + "1]"))
      << "closed ones do not count";
}

TEST(Validate, HostileNestingIsRefusedWithoutRecursion) {
  EXPECT_FALSE(is_valid(repeated("[", 1'000'000)));
  EXPECT_FALSE(is_valid(repeated(R"([{"":)", 50'000)));  // n_structure_open_array_object
  EXPECT_FALSE(is_valid(repeated("]", 1'000'000)));
}

TEST(Validate, ABracketIsClosedByItsOwnKindAtEveryDepth) {
  for (size_t depth = 1; depth <= 130; ++depth) {
    const std::string open = repeated(R"([{"a":)", depth);
    EXPECT_TRUE(is_valid(open + "1" + repeated("}]", depth)));
    EXPECT_FALSE(is_valid(open + "1" + repeated("]}", depth)));
  }
}

TEST(Validate, NoByteBehindTheTextIsRead) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* const pages =
      mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  char* const wall = static_cast<char*>(pages) + page;
  ASSERT_EQ(mprotect(wall, page, PROT_NONE), 0);
  const std::string text =
      R"({"name":"größe","list":[1,-2.5e+3,true,false,null,"\u00e9\n"],"o":{}})";
  for (size_t bytes = 0; bytes <= text.size(); ++bytes) {
    char* const begin = wall - bytes;
    std::memcpy(begin, text.data(), bytes);
    EXPECT_EQ(is_valid({begin, bytes}), bytes == text.size()) << text.substr(0, bytes);
  }
  munmap(pages, 2 * page);
}

}  // namespace
}  // namespace fnkit::json
