#include "fnkit/json/value.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "fnkit/json/validate.hpp"

namespace fnkit::json {
namespace {

using namespace std::string_view_literals;

constexpr size_t kDepth = 64;

Value parsed(std::string_view text) {
  Result<Value> value = parse(text, kDepth);
  EXPECT_TRUE(value) << text << ": " << (value ? "" : value.error().message);
  return value ? std::move(value).value() : Value();
}

std::string refusal(std::string_view text, size_t depth_max = kDepth) {
  const Result<Value> value = parse(text, depth_max);
  return value ? "accepted" : value.error().message;
}

std::string string_of(std::string_view text) {
  const Value value = parsed(text);
  const std::string* string = value.as_string();
  return string == nullptr ? "no string" : *string;
}

TEST(Value, APipelineConfigReadsInTheOrderItWasWritten) {
  const Value config = parsed(R"({"mode":"parallel","steps":["a",{"fn":"b","timeout_ms":250}]})");
  ASSERT_EQ(config.kind(), Kind::object);
  ASSERT_EQ(config.members().size(), 2U);
  EXPECT_EQ(config.members()[0].key, "mode");
  EXPECT_EQ(config.members()[1].key, "steps");
  ASSERT_NE(config.find("mode"), nullptr);
  EXPECT_EQ(*config.find("mode")->as_string(), "parallel");
  const auto steps = config.find("steps")->elements();
  ASSERT_EQ(steps.size(), 2U);
  EXPECT_EQ(*steps[0].as_string(), "a");
  EXPECT_EQ(steps[1].find("timeout_ms")->as_unsigned(), 250U);
  EXPECT_EQ(config.find("stepz"), nullptr);
}

TEST(Value, EveryKindIsTold) {
  const struct {
    std::string_view text;
    Kind kind;
    std::string_view name;
  } cases[] = {{"null", Kind::null, "null"},           {"true", Kind::boolean, "a boolean"},
               {" -1.5e3 ", Kind::number, "a number"}, {R"("")", Kind::string, "a string"},
               {"[]", Kind::array, "an array"},        {"{}", Kind::object, "an object"}};
  for (const auto& [text, kind, name] : cases) {
    EXPECT_EQ(parsed(text).kind(), kind) << text;
    EXPECT_EQ(name_of(kind), name);
  }
}

TEST(Value, AskingForTheWrongKindGivesNothing) {
  for (const std::string_view text : {"null", "true", "1", R"("s")", "[1]", R"({"a":1})"}) {
    const Value value = parsed(text);
    EXPECT_EQ(value.as_boolean().has_value(), value.kind() == Kind::boolean) << text;
    EXPECT_EQ(value.as_string() != nullptr, value.kind() == Kind::string) << text;
    EXPECT_EQ(value.as_number_text().has_value(), value.kind() == Kind::number) << text;
    EXPECT_EQ(value.as_double().has_value(), value.kind() == Kind::number) << text;
    EXPECT_EQ(value.as_unsigned().has_value(), value.kind() == Kind::number) << text;
    EXPECT_EQ(value.elements().size(), value.kind() == Kind::array ? 1U : 0U) << text;
    EXPECT_EQ(value.members().size(), value.kind() == Kind::object ? 1U : 0U) << text;
    EXPECT_EQ(value.find("a") != nullptr, value.kind() == Kind::object) << text;
  }
}

TEST(Value, NumbersKeepTheirText) {
  for (const std::string_view text : {"12345678901234567890123", "1.0", "-0", "1e999"}) {
    EXPECT_EQ(parsed(text).as_number_text(), text);
  }
  EXPECT_EQ(parsed("0.1").as_double(), 0.1);
  EXPECT_EQ(parsed("-2.5e3").as_double(), -2500.0);
  EXPECT_EQ(parsed("1e999").as_double(), std::nullopt);
}

TEST(Value, AWholeNumberIsOneHoweverItIsWritten) {
  EXPECT_EQ(parsed("0").as_unsigned(), 0U);
  EXPECT_EQ(parsed("18446744073709551615").as_unsigned(), 18446744073709551615U);
  EXPECT_EQ(parsed("1e3").as_unsigned(), 1000U);
  EXPECT_EQ(parsed("250.0").as_unsigned(), 250U);
  EXPECT_EQ(parsed("-0").as_unsigned(), 0U);
  EXPECT_EQ(parsed("9007199254740991.0").as_unsigned(), 9007199254740991U);
  for (const std::string_view text :
       {"-1", "1.5", "18446744073709551616", "9007199254740993.0", "1e19", "1e30", "1e999"}) {
    EXPECT_EQ(parsed(text).as_unsigned(), std::nullopt) << text;
  }
}

// RFC 8259 section 7.
TEST(Value, EscapesInStringsAreResolved) {
  EXPECT_EQ(string_of(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(string_of(R"("a\u0041\u00e9\u20ACz")"), "aAé€z");
  EXPECT_EQ(string_of(R"("\uD834\uDD1E")"), "\U0001D11E");
  EXPECT_EQ(string_of(R"("\udbff\udfff")"), "\U0010FFFF");
  EXPECT_EQ(string_of(R"("a\u0000b")"), "a\0b"sv);
  EXPECT_EQ(parsed(R"({"\u0061":1})").find("a")->as_unsigned(), 1U);
}

// As JavaScript's TextEncoder writes them: USVString replaces each.
TEST(Value, LoneSurrogatesBecomeReplacementCharacters) {
  EXPECT_EQ(string_of(R"("\uD800")"), "\uFFFD");
  EXPECT_EQ(string_of(R"("\uDC00x")"), "\uFFFDx");
  EXPECT_EQ(string_of(R"("\uD800\uD800\uDC00")"), "\uFFFD\U00010000");
  EXPECT_EQ(string_of(R"("\uD800\n")"), "\uFFFD\n");
  EXPECT_EQ(string_of(R"("\uD800\u0041")"), "\uFFFDA");
}

TEST(Value, DuplicatesStayVisibleAndTheLastIsFound) {
  const Value value = parsed(R"({"a":1,"b":2,"a":3})");
  EXPECT_EQ(value.members().size(), 3U);
  EXPECT_EQ(value.find("a")->as_unsigned(), 3U) << "JSON.parse keeps the last";
  ASSERT_NE(value.duplicate_key(), nullptr);
  EXPECT_EQ(*value.duplicate_key(), "a");
  EXPECT_EQ(parsed(R"({"a":1,"A":2})").duplicate_key(), nullptr);
  EXPECT_EQ(parsed("1").duplicate_key(), nullptr);
}

TEST(Value, ItsSourceCanBeCutOutUnchanged) {
  const std::string_view text = R"( {"fallback" : { "n": 1.0 } , "s":"\u00e9"} )";
  const Value value = parsed(text);
  const auto source = [&](const Value& part) {
    return text.substr(part.source_offset(), part.source_bytes());
  };
  EXPECT_EQ(source(*value.find("fallback")), R"({ "n": 1.0 })");
  EXPECT_EQ(source(*value.find("s")), R"("\u00e9")");
  EXPECT_EQ(source(value), text.substr(1, text.size() - 2));
}

TEST(Value, ItOutlivesItsTextAndIsCopiedWhole) {
  Value copy;
  {
    std::string text = R"({"key":["a string too long to be stored within its own object"]})";
    const Value value = parsed(text);
    text.assign(text.size(), 'x');
    copy = value;
  }
  EXPECT_EQ(*copy.find("key")->elements()[0].as_string(),
            "a string too long to be stored within its own object");
}

TEST(Value, AFaultIsToldWithItsPlaceAndWhatWasExpected) {
  const struct {
    std::string_view text;
    std::string_view message;
  } cases[] = {
      {"", "line 1, column 1: expected a value, found the end of the text"},
      {"{\n  \"steps\": [\n    \"a\" \"b\"]}", "line 3, column 9: expected ',' or ']', found '\"'"},
      {R"({"a":1 "b":2})", "line 1, column 8: expected ',' or '}', found '\"'"},
      {R"({"a" 1})", "line 1, column 6: expected ':', found '1'"},
      {R"(["a",])", "line 1, column 6: expected a value, found ']'"},
      {R"({"a":1,})", "line 1, column 8: expected a name in double quotes, found '}'"},
      {"{mode:1}", "line 1, column 2: expected a name in double quotes, found 'm'"},
      {"[1", "line 1, column 3: expected ',' or ']', found the end of the text"},
      {"[1] x", "line 1, column 5: expected the end of the text, found 'x'"},
      {"[True]", "line 1, column 2: expected a value, found 'T'"},
      {"[nul]", "line 1, column 2: expected a value, found 'n'"},
      {"[ö]", "line 1, column 2: expected a value, found 'ö'"},
      {"[\v]", "line 1, column 2: expected a value, found a control character"},
      {"[01]", "line 1, column 3: a number must not begin with 0"},
      {"[1.]", "line 1, column 4: expected a digit"},
      {"-", "line 1, column 2: expected a digit"},
      {R"(["größe\q"])", "line 1, column 9: unknown escape in a string"},
      {R"(["\u12"])", "line 1, column 7: expected four hexadecimal digits after \\u"},
      {"[\"a\nb\"]", "line 1, column 4: a control character in a string must be escaped"},
      {"[1,\n\"abc]", "line 2, column 1: this string is never closed"},
      {R"({"abc)", "line 1, column 2: this string is never closed"},
      {"[\n\"ab\xFF\"]", "line 2, column 4: not valid UTF-8"},
      {"\xEF\xBB\xBF{}",
       "line 1, column 1: a byte order mark before the JSON; save the text without it"},
  };
  for (const auto& [text, message] : cases) EXPECT_EQ(refusal(text), message) << text;
}

TEST(Value, NestingIsBoundedByTheCaller) {
  EXPECT_EQ(refusal("1", 0), "accepted");
  EXPECT_EQ(refusal("[]", 0), "line 1, column 1: nested more than 0 deep");
  EXPECT_EQ(refusal(R"([{"a":[]}])", 3), "accepted");
  EXPECT_EQ(refusal(R"([{"a":[]}])", 2), "line 1, column 7: nested more than 2 deep");
  EXPECT_EQ(refusal("[[],[],[]]", 2), "accepted") << "closed ones do not count";
  EXPECT_EQ(refusal(std::string(1'000'000, '['), kDepthMax),
            "line 1, column 1025: nested more than 1024 deep");
  EXPECT_EQ(refusal(std::string(1024, '[') + std::string(1024, ']'), kDepthMax), "accepted");
}

TEST(Value, PlacesAreCountedInLinesAndCharacters) {
  EXPECT_EQ(place("", 0), "line 1, column 1");
  EXPECT_EQ(place("ab\ncd", 2), "line 1, column 3");
  EXPECT_EQ(place("ab\ncd", 3), "line 2, column 1");
  EXPECT_EQ(place("é東x", 5), "line 1, column 3");
  EXPECT_EQ(place("ab\n", 99), "line 2, column 1");
}

}  // namespace
}  // namespace fnkit::json
