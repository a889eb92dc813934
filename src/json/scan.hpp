// The tokens of RFC 8259, each stepped over once: shared by what only checks and what builds.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "fnkit/base/text.hpp"

namespace fnkit::json {

// Where a token ended, or where it went wrong and how (a phrase for a person).
struct Scan {
  const char* at;
  const char* fault = nullptr;

  explicit operator bool() const { return fault == nullptr; }
};

inline bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

inline const char* skip_space(const char* at, const char* end) {
  while (at != end && is_space(*at)) ++at;
  return at;
}

// The first byte from `at` on that a JSON string cannot hold as it is: `"`, `\` or a control
// character. Eight bytes a step: each line below sets the high bit of every byte it is about.
// Borrows can set some too many, but only above a right one, and the lowest is what is taken.
// (SSE2 was tried: twice as fast on long text, no faster on records, where runs are short.)
inline const char* end_of_plain_run(const char* at, const char* end) {
  static_assert(std::endian::native == std::endian::little);
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighs = kOnes * 0x80;
  for (; end - at >= 8; at += 8) {
    uint64_t word;
    std::memcpy(&word, at, sizeof word);
    const uint64_t quote = word ^ kOnes * '"';
    const uint64_t backslash = word ^ kOnes * '\\';
    uint64_t found = (word - kOnes * 0x20) & ~word;
    found |= (quote - kOnes) & ~quote;
    found |= (backslash - kOnes) & ~backslash;
    found &= kHighs;
    if (found != 0) return at + std::countr_zero(found) / 8;
  }
  while (at != end && static_cast<unsigned char>(*at) >= 0x20 && *at != '"' && *at != '\\') ++at;
  return at;
}

inline bool is_hex(char c) {
  return is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

// `at` is at the backslash.
inline Scan scan_escape(const char* at, const char* end) {
  if (++at == end) return {at, "this string is never closed"};
  if (*at != 'u') {
    constexpr std::string_view kEscapes = "\"\\/bfnrt";
    if (kEscapes.find(*at) == kEscapes.npos) return {at, "unknown escape in a string"};
    return {at + 1};
  }
  ++at;
  for (int i = 0; i < 4; ++i, ++at) {
    if (at == end) return {at, "this string is never closed"};
    if (!is_hex(*at)) return {at, "expected four hexadecimal digits after \\u"};
  }
  return {at};
}

// `at` is behind the opening quote; ends behind the closing one. UTF-8 is not looked at.
inline Scan scan_string(const char* at, const char* end) {
  for (;;) {
    at = end_of_plain_run(at, end);
    if (at == end) return {at, "this string is never closed"};
    if (*at == '"') return {at + 1};
    if (*at != '\\') return {at, "a control character in a string must be escaped"};
    const Scan escape = scan_escape(at, end);
    if (!escape) return escape;
    at = escape.at;
  }
}

inline Scan scan_digits(const char* at, const char* end) {
  if (at == end || !is_digit(*at)) return {at, "expected a digit"};
  do ++at;
  while (at != end && is_digit(*at));
  return {at};
}

// `at` is at a minus or a digit. Never converted: its magnitude does not matter.
inline Scan scan_number(const char* at, const char* end) {
  if (*at == '-') ++at;
  const char* const first = at;
  Scan scan = scan_digits(at, end);
  if (!scan) return scan;
  if (*first == '0' && scan.at - first > 1) return {first + 1, "a number must not begin with 0"};
  if (scan.at != end && *scan.at == '.') {
    scan = scan_digits(scan.at + 1, end);
    if (!scan) return scan;
  }
  if (scan.at != end && ascii_lower(*scan.at) == 'e') {
    at = scan.at + 1;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    scan = scan_digits(at, end);
  }
  return scan;
}

inline Scan scan_word(const char* at, const char* end, std::string_view word) {
  if (!std::string_view(at, static_cast<size_t>(end - at)).starts_with(word)) {
    return {at, "expected a value"};
  }
  return {at + word.size()};
}

// Anything but an array or object; `at` is not the end.
inline Scan scan_scalar(const char* at, const char* end) {
  switch (*at) {
    case '"': return scan_string(at + 1, end);
    case 't': return scan_word(at, end, "true");
    case 'f': return scan_word(at, end, "false");
    case 'n': return scan_word(at, end, "null");
    default:
      if (*at == '-' || is_digit(*at)) return scan_number(at, end);
      return {at, "expected a value"};
  }
}

}  // namespace fnkit::json
