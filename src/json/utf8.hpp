// UTF-8 as the room needs it: is it valid, where is it not, and how is a code point written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace fnkit::json {

inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// A code point, or the bytes that WHATWG's decoder replaces with one U+FFFD: the longest beginning
// of a valid sequence, at least one byte (Unicode 3.9, "maximal subpart").
struct Utf8Unit {
  size_t bytes;
  bool valid;
};

// `text` is not empty.
Utf8Unit first_unit(std::string_view text);

// Vectorised: tens of GB/s on ASCII, so worth asking before any walk with first_unit().
bool utf8_is_valid(std::string_view text);

// How many bytes at the beginning of `text` are valid UTF-8.
size_t valid_utf8_prefix(std::string_view text);

// `code_point` is a Unicode scalar value: no surrogate, at most U+10FFFF.
void append_utf8(std::string& out, uint32_t code_point);

}  // namespace fnkit::json
