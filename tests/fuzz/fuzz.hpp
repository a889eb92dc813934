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

// libFuzzer keeps the input of a run that aborts.
inline void require(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "%.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Always the same for the same bytes.
inline std::vector<std::string> pieces_of(std::string_view bytes) {
  Random random(std::hash<std::string_view>()(bytes));
  return test::random_pieces(random, bytes);
}

}  // namespace fnkit::fuzz
