// Which seeds a simulation runs, and what it says of one that found something.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace fnkit::test {

struct Seeds {
  uint64_t first;
  uint64_t end;
};

inline uint64_t number_from(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// FNKIT_SIMULATION_SEEDS=N: N of them; FNKIT_SIMULATION_SEED=S: that one, both: N from S on. Else
// the first `count`.
inline Seeds seeds(uint64_t count) {
  const uint64_t first = number_from("FNKIT_SIMULATION_SEED", 0);
  const uint64_t wanted = number_from("FNKIT_SIMULATION_SEEDS", first == 0 ? count : 1);
  return {std::max<uint64_t>(first, 1), std::max<uint64_t>(first, 1) + wanted};
}

// The first of the lines, each on a line of its own.
inline std::string joined(const std::vector<std::string>& lines) {
  constexpr size_t kShown = 20;
  std::string text;
  for (size_t i = 0; i < std::min(lines.size(), kShown); ++i) text += "\n  " + lines[i];
  return text + (lines.size() > kShown ? "\n  …" : "");
}

}  // namespace fnkit::test
