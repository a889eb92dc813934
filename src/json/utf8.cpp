#include "json/utf8.hpp"

#include <simdjson.h>

#include <cstring>

#include "fnkit/base/check.hpp"

namespace fnkit::json {

// https://encoding.spec.whatwg.org/#utf-8-decoder, with its variables: the second byte of some
// sequences has narrower bounds, so that overlong forms and surrogates fail there, not later.
Utf8Unit first_unit(std::string_view text) {
  REQUIRE(!text.empty());
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return {1, true};
  if (lead < 0xC2 || lead > 0xF4) return {1, false};
  const size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  unsigned lower = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned upper = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (size_t i = 1; i < length; ++i) {
    if (i == text.size()) return {i, false};
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < lower || byte > upper) return {i, false};
    lower = 0x80;
    upper = 0xBF;
  }
  return {length, true};
}

bool utf8_is_valid(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

size_t valid_utf8_prefix(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    // ASCII by eights: text in an older encoding is mostly that, and comes this way.
    uint64_t word = 0;
    if (text.size() - at >= sizeof word) {
      std::memcpy(&word, text.data() + at, sizeof word);
      if ((word & 0x8080808080808080) == 0) {
        at += sizeof word;
        continue;
      }
    }
    const Utf8Unit unit = first_unit(text.substr(at));
    if (!unit.valid) break;
    at += unit.bytes;
  }
  return at;
}

void append_utf8(std::string& out, uint32_t code_point) {
  const auto tail = [&](unsigned shift) {
    out += static_cast<char>(0x80 | (code_point >> shift & 0x3F));
  };
  if (code_point < 0x80) {
    out += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    out += static_cast<char>(0xC0 | code_point >> 6);
    tail(0);
  } else if (code_point < 0x10000) {
    out += static_cast<char>(0xE0 | code_point >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | code_point >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

}  // namespace fnkit::json
