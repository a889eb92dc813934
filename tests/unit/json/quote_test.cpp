#include "fnkit/json/quote.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace fnkit::json {
namespace {

using namespace std::string_view_literals;

std::string json_of(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

// Expected strings are what node 20 printed for
// JSON.stringify(new TextDecoder().decode(Uint8Array.of(...))), which is what the reference did.

TEST(Quote, PlainTextGetsItsQuotesAndNothingElse) {
  EXPECT_EQ(json_of(""), R"("")");
  EXPECT_EQ(json_of("hello"), R"("hello")");
  EXPECT_EQ(json_of("a longer run, more than eight bytes at a time"),
            R"("a longer run, more than eight bytes at a time")");
}

TEST(Quote, AppendsBehindWhatIsThere) {
  std::string out = R"({"a":)";
  append_quoted(out, "b");
  EXPECT_EQ(out, R"({"a":"b")");
}

TEST(Quote, QuotesAndBackslashesAreEscapedWhereverTheyStand) {
  EXPECT_EQ(json_of(R"(say "hi")"), R"("say \"hi\"")");
  EXPECT_EQ(json_of(R"(\)"), R"("\\")");
  EXPECT_EQ(json_of(R"({"error":"no"})"), R"("{\"error\":\"no\"}")");
  for (size_t before = 0; before < 20; ++before) {
    const std::string run(before, 'x');
    EXPECT_EQ(json_of(run + '"' + run), '"' + run + "\\\"" + run + '"') << before;
  }
}

TEST(Quote, ControlCharactersTakeTheShortFormWhereJsonHasOneElseLowerCaseHex) {
  EXPECT_EQ(json_of("\b\t\n\f\r"), R"("\b\t\n\f\r")");
  EXPECT_EQ(json_of("\0\x01\x0b\x1a\x1f"sv), R"("\u0000\u0001\u000b\u001a\u001f")");
}

TEST(Quote, DelSlashAndTheSeparatorsStandRaw) {
  EXPECT_EQ(json_of("\x7f/"), "\"\x7f/\"");
  EXPECT_EQ(json_of("\xE2\x80\xA8\xE2\x80\xA9"), "\"\xE2\x80\xA8\xE2\x80\xA9\"");
}

TEST(Quote, ValidUtf8StandsRawUpToTheLastCodePoint) {
  EXPECT_EQ(json_of("größe 東京 😀"), "\"größe 東京 😀\"");
  EXPECT_EQ(json_of("\xF4\x8F\xBF\xBF"), "\"\xF4\x8F\xBF\xBF\"");
}

// Unicode 15, section 3.9, tables 3-8 to 3-11, and WHATWG Encoding.
TEST(Quote, EachMaximalSubpartOfBrokenUtf8BecomesOneReplacementCharacter) {
  const struct {
    std::string_view bytes;
    std::string_view text;
  } cases[] = {
      {"\xFF", "\uFFFD"},
      {"a\x80z", "a\uFFFDz"},
      // Overlong forms fall apart into single bytes.
      {"\xC0\xAF", "\uFFFD\uFFFD"},
      {"\xE0\x80\xBF", "\uFFFD\uFFFD\uFFFD"},
      {"\xF0\x81\x82\x41", "\uFFFD\uFFFD\uFFFDA"},
      // So do surrogates, and what is beyond U+10FFFF.
      {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
      {"\xF4\x91\x92\x93\xFF\x41", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA"},
      // A good beginning that breaks off is one.
      {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "\uFFFD\uFFFD\uFFFD\uFFFDA"},
      {"\xE2\x82", "\uFFFD"},
      {"\xF0\x9F\x98", "\uFFFD"},
      {"\xF0\x9F\x98\"", "\uFFFD\\\""},
  };
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(json_of(bytes), '"' + std::string(text) + '"') << testing::PrintToString(bytes);
  }
}

TEST(Quote, EscapesGoOnAroundBrokenUtf8) {
  EXPECT_EQ(json_of("line\n\xFFthen \"quoted\" größe"),
            "\"line\\n\uFFFDthen \\\"quoted\\\" größe\"");
}

TEST(Quote, OneByteOrderMarkAtTheVeryBeginningIsDropped) {
  EXPECT_EQ(json_of("\xEF\xBB\xBFhi"), R"("hi")");
  EXPECT_EQ(json_of("\xEF\xBB\xBF"), R"("")");
  EXPECT_EQ(json_of("\xEF\xBB\xBF\xEF\xBB\xBFhi"), "\"\uFEFFhi\"");
  EXPECT_EQ(json_of("hi\xEF\xBB\xBF"), "\"hi\uFEFF\"");
  EXPECT_EQ(json_of("\xEF\xBB"), "\"\uFFFD\"") << "half a mark is broken UTF-8";
}

}  // namespace
}  // namespace fnkit::json
