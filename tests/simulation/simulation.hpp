// The program on a simulated network: one worker, functions, callers, and whatever goes wrong.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fnkit::test {

struct SimulationOptions {
  bool faults = true;     // else all goes well, and every answer must be the good one
  bool mixes_up = false;  // canary: a function that answers with another request's bytes
  bool doubles = false;   // canary: calls that are seen twice
};

struct SimulationOutcome {
  std::vector<std::string> faults;  // of the program; each is a sentence
  size_t good_answers = 0;
  size_t unknown_answers = 0;  // rightly so
  size_t failed_answers = 0;
  size_t ends = 0;     // connections that ended instead of an answer
  uint64_t trace = 0;  // equal runs have equal traces
};

SimulationOutcome simulate(uint64_t seed, const SimulationOptions& options);

}  // namespace fnkit::test
