// The follower of a store on a simulated network, against a Valkey that changes and fails.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "simulation/sim_valkey.hpp"

namespace fnkit::test {

struct StoreSimulationOptions {
  bool faults = true;      // else all goes well, and what is told must be in force at once
  bool loses_all = false;  // canary: no notification arrives, and nothing is read again
  bool slow = false;       // canary: what is told, or asked for, takes its time
  bool stale = false;      // canary: readings yield what was there before
};

struct StoreOutcome {
  std::vector<std::string> faults;  // of the follower; each is a sentence
  size_t changes = 0;
  size_t publications = 0;
  std::vector<size_t> bytes_sent;  // by the server, on each connection
  uint64_t trace = 0;              // equal runs have equal traces
};

StoreOutcome simulate_store(uint64_t seed, const StoreSimulationOptions& options);

// One short run that is always the same, but for the server's manners.
StoreOutcome simulate_script(ValkeyManners manners);

}  // namespace fnkit::test
