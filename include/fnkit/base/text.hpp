// Small ASCII helpers. Locale-free: HTTP and configuration are ASCII where they are structured.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace fnkit {

constexpr char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_alpha(char c) { return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z'; }

// The value of a hex digit, -1 for any other character.
constexpr int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  const char lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// 16 lower-case hex digits, and back: `text` has at least 16 of them.
inline void write_hex16(char* to, uint64_t bits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) *to++ = kDigits[(bits >> shift) & 0xf];
}
constexpr uint64_t read_hex16(std::string_view text) {
  uint64_t bits = 0;
  for (size_t i = 0; i < 16; ++i) bits = bits << 4 | static_cast<uint64_t>(hex_value(text[i]));
  return bits;
}

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (ascii_lower(a[i]) != ascii_lower(b[i])) return false;
  }
  return true;
}

// Without leading and trailing spaces and tabs (OWS of RFC 9110 section 5.6.3).
constexpr std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// One or more digits and nothing else; nothing where it does not fit 64 bits.
inline std::optional<uint64_t> parse_decimal(std::string_view text) {
  uint64_t value = 0;
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The parts between `separator`s, trimmed; an empty text has none.
inline std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t at = text.find(separator);
    parts.push_back(trim(text.substr(0, at)));
    if (at == std::string_view::npos) break;
    text.remove_prefix(at + 1);
    if (text.empty()) parts.push_back(text);
  }
  return parts;
}

// Cuts the first member off a comma-separated `list`, and yields it, trimmed. For lists whose empty
// members say nothing (RFC 9110 section 5.6.1).
inline std::string_view take_member(std::string_view& list) {
  const size_t comma = list.find(',');
  const std::string_view member = trim(list.substr(0, comma));
  list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  return member;
}

// True when `token` is one of the comma-separated members of `list`, ignoring case.
inline bool list_contains(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    if (equals_ignoring_case(take_member(list), token)) return true;
  }
  return false;
}

}  // namespace fnkit
