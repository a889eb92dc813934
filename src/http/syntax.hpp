// The characters that RFC 9110 and 9112 allow, and the strict reading of single lines.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace fnkit::http {

// token characters: RFC 9110 section 5.6.2.
constexpr std::array<bool, 256> make_token_table() {
  std::array<bool, 256> table{};
  for (int c = '0'; c <= '9'; ++c) table[static_cast<size_t>(c)] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[static_cast<size_t>(c)] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[static_cast<size_t>(c)] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<uint8_t>(c)] = true;
  return table;
}
inline constexpr std::array<bool, 256> kIsToken = make_token_table();

inline bool is_token_char(char c) { return kIsToken[static_cast<uint8_t>(c)]; }

inline bool is_token(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (!is_token_char(c)) return false;
  }
  return true;
}

// Visible ASCII but for what RFC 3986 wants percent-encoded in a target, and "#", which never
// reaches a server.
constexpr std::array<bool, 256> make_target_table() {
  std::array<bool, 256> table{};
  for (int c = '!'; c <= '~'; ++c) table[static_cast<size_t>(c)] = true;
  for (const char c : std::string_view("\"#<>\\^`{|}")) table[static_cast<uint8_t>(c)] = false;
  return table;
}
inline constexpr std::array<bool, 256> kIsTargetChar = make_target_table();

inline bool is_target_char(char c) { return kIsTargetChar[static_cast<uint8_t>(c)]; }

// No control byte but HTAB: field-content of RFC 9110 section 5.5, obs-text included. Written
// without early exit so that the compiler vectorizes it.
inline bool is_field_value(std::string_view text) {
  unsigned bad = 0;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    bad |= static_cast<unsigned>((byte < 0x20) & (byte != '\t')) | (byte == 0x7f);
  }
  return bad == 0;
}

// "name: value" without its line end, as header and trailer sections have it; no obs-fold, no space
// before the colon (RFC 9112 sections 5.1 and 5.2).
inline bool is_field_line(std::string_view line) {
  const size_t colon = line.find(':');
  return colon != std::string_view::npos && is_token(line.substr(0, colon)) &&
         is_field_value(line.substr(colon + 1));
}

}  // namespace fnkit::http
