#include <algorithm>
#include <charconv>
#include <utility>

#include "fnkit/json/validate.hpp"
#include "fnkit/json/value.hpp"
#include "json/scan.hpp"
#include "json/utf8.hpp"

namespace fnkit::json {
namespace {

// The four hexadecimal digits at `at`, which scan_escape() has seen.
uint32_t code_unit(const char* at) {
  uint32_t unit = 0;
  std::from_chars(at, at + 4, unit, 16);
  return unit;
}

bool is_high_surrogate(uint32_t unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low_surrogate(uint32_t unit) { return unit >= 0xDC00 && unit < 0xE000; }

// Appends what the escape at `at` (behind its `\u`) means and returns where the text goes on. A
// character beyond U+FFFF is two escapes (RFC 8259 section 7).
const char* append_unicode_escape(std::string& out, const char* at, const char* end) {
  uint32_t code_point = code_unit(at);
  at += 4;
  if (is_high_surrogate(code_point) && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
    const uint32_t low = code_unit(at + 2);
    if (is_low_surrogate(low)) {
      code_point = 0x10000 + ((code_point - 0xD800) << 10) + (low - 0xDC00);
      at += 6;
    }
  }
  const bool lone = is_high_surrogate(code_point) || is_low_surrogate(code_point);
  if (lone) {
    out += kReplacement;
  } else {
    append_utf8(out, code_point);
  }
  return at;
}

// What a string means; `at` to `end` is between its quotes, and scan_string() has seen it.
std::string unescaped(const char* at, const char* end) {
  std::string out;
  out.reserve(static_cast<size_t>(end - at));
  for (;;) {
    const char* const escape = std::find(at, end, '\\');
    out.append(at, static_cast<size_t>(escape - at));
    if (escape == end) return out;
    at = escape + 2;
    switch (escape[1]) {
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u': at = append_unicode_escape(out, at, end); break;
      default: out += escape[1]; break;
    }
  }
}

}  // namespace

std::string place(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto lines = std::count(before.begin(), before.end(), '\n');
  // npos, where there is no newline, is -1.
  const std::string_view line = before.substr(before.rfind('\n') + 1);
  const auto characters = std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  std::string out("line ");
  out += std::to_string(lines + 1);
  out += ", column ";
  out += std::to_string(characters + 1);
  return out;
}

// Recursive descent, one stack frame of read_value and read_array or read_object for each open
// bracket: depth_max bounds it. The first failure is kept and ends everything.
class Parser {
 public:
  Parser(std::string_view text, size_t depth_max)
      : text_(text), at_(text.data()), end_(at_ + text.size()), depth_max_(depth_max) {}

  Result<Value> parse() {
    Value value;
    if (!(check_encoding() && read_value(value) && expect_end())) return std::move(error_);
    return value;
  }

 private:
  bool fail(const char* at, std::string_view what) {
    error_.message = place(text_, static_cast<size_t>(at - text_.data()));
    error_.message += ": ";
    error_.message += what;
    return false;
  }

  bool fail_expecting(std::string_view what) {
    std::string message("expected ");
    message += what;
    if (at_ == end_) return fail(at_, message + ", found the end of the text");
    message += ", found ";
    const std::string_view rest = text_.substr(static_cast<size_t>(at_ - text_.data()));
    const bool control = static_cast<unsigned char>(*at_) < 0x20 || *at_ == 0x7F;
    if (control) {
      message += "a control character";
    } else {
      message += '\'';
      message += rest.substr(0, first_unit(rest).bytes);
      message += '\'';
    }
    return fail(at_, message);
  }

  bool check_encoding() {
    if (text_.starts_with(kByteOrderMark)) {
      return fail(at_, "a byte order mark before the JSON; save the text without it");
    }
    if (utf8_is_valid(text_)) return true;
    return fail(at_ + valid_utf8_prefix(text_), "not valid UTF-8");
  }

  bool expect_end() {
    skip_space();
    return at_ == end_ || fail_expecting("the end of the text");
  }

  void skip_space() { at_ = json::skip_space(at_, end_); }

  // Steps over `c` after space; false where something else stands there.
  bool took(char c) {
    skip_space();
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  bool read_value(Value& value) {
    skip_space();
    if (at_ == end_) return fail_expecting("a value");
    const char* const begin = at_;
    const bool nested = *at_ == '[' || *at_ == '{';
    const bool read = nested ? read_nested(value) : read_scalar(value);
    value.source_offset_ = static_cast<size_t>(begin - text_.data());
    value.source_bytes_ = static_cast<size_t>(at_ - begin);
    return read;
  }

  bool read_nested(Value& value) {
    if (depth_ == depth_max_) {
      return fail(at_, std::string("nested more than ") + std::to_string(depth_max_) + " deep");
    }
    ++depth_;
    const bool read = *at_++ == '[' ? read_array(value.state_.emplace<Value::Array>())
                                    : read_object(value.state_.emplace<Value::Object>());
    --depth_;
    return read;
  }

  bool read_array(Value::Array& array) {
    if (took(']')) return true;
    do {
      if (!read_value(array.emplace_back())) return false;
    } while (took(','));
    return took(']') || fail_expecting("',' or ']'");
  }

  bool read_object(Value::Object& object) {
    if (took('}')) return true;
    do {
      Member& member = object.emplace_back();
      if (!took('"')) return fail_expecting("a name in double quotes");
      if (!read_string(member.key)) return false;
      if (!took(':')) return fail_expecting("':'");
      if (!read_value(member.value)) return false;
    } while (took(','));
    return took('}') || fail_expecting("',' or '}'");
  }

  // Behind the opening quote.
  bool read_string(std::string& out) {
    const char* const begin = at_;
    const Scan scan = scan_string(begin, end_);
    // Where the text just ends, the string that is never closed is what a person looks for.
    if (!scan) return scan.at == end_ ? fail(begin - 1, scan.fault) : fail(scan.at, scan.fault);
    at_ = scan.at;
    out = unescaped(begin, at_ - 1);
    return true;
  }

  bool read_scalar(Value& value) {
    if (*at_ == '"') {
      ++at_;
      return read_string(value.state_.emplace<std::string>());
    }
    const Scan scan = scan_scalar(at_, end_);
    if (!scan) return scan.at == at_ ? fail_expecting("a value") : fail(scan.at, scan.fault);
    switch (*at_) {
      case 'n': break;
      case 't': value.state_ = true; break;
      case 'f': value.state_ = false; break;
      default: value.state_ = Value::Number{std::string(at_, scan.at)}; break;
    }
    at_ = scan.at;
    return true;
  }

  std::string_view text_;
  const char* at_;
  const char* end_;
  size_t depth_max_;
  size_t depth_ = 0;
  Error error_;
};

Result<Value> parse(std::string_view text, size_t depth_max) {
  REQUIRE(depth_max <= kDepthMax);
  return Parser(text, depth_max).parse();
}

}  // namespace fnkit::json
