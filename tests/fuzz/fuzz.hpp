// What the fuzzers share: bytes in pieces, and the end of a run that is wrong.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/random_message.hpp"

namespace fnkit::fuzz {

constexpr size_t kSingleBytesMax = 2048;  // more would take most of the time

// libFuzzer keeps the input of a run that aborts.
inline void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "%.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

using Pieces = std::vector<std::string>;

// What `read(Pieces)` makes of the bytes whole; of the same bytes in pieces, always the same ones
// for the same bytes, and one by one it must make that too.
template <typename Read>
std::string read_alike(std::string_view bytes, Read read) {
  const std::string whole = read(Pieces{std::string(bytes)});
  Random random(std::hash<std::string_view>()(bytes));
  require(read(test::random_pieces(random, bytes)) == whole, "in pieces it is something else");
  if (bytes.size() <= kSingleBytesMax) {
    Pieces single;
    for (const char byte : bytes) single.emplace_back(1, byte);
    require(read(single) == whole, "byte by byte it is something else");
  }
  return whole;
}

}  // namespace fnkit::fuzz
