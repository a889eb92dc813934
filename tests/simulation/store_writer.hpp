// Somebody else who writes to the simulated Valkey.
#pragma once

#include <string>
#include <vector>

#include "fnkit/coro/task_group.hpp"
#include "simulation/sim_valkey.hpp"

namespace fnkit::test {

class StoreWriter {
 public:
  // Writes under `names` in `database`, and now and then elsewhere.
  StoreWriter(SimulatedRing& ring, SimValkey& server, unsigned database,
              std::vector<std::string> names, uint64_t seed);

  // Some of the names.
  void write_first();
  // Writes `times`, with pauses up to `pause_max`.
  coro::Task<void> run(size_t times, Duration pause_max);
  // A short run that is always the same.
  coro::Task<void> run_script();
  // What run() left to be done later: expiries.
  coro::Task<void> join() { return later_.join(); }

 private:
  coro::Task<void> change_something();
  coro::Task<void> burst(std::string key);
  coro::Task<void> expire(std::string key);
  void write_all();
  void write_elsewhere();
  void put(const std::string& key, SimValue value);
  SimValue good();
  SimValue bad();
  std::string some_key();

  SimulatedRing& ring_;
  SimValkey& server_;
  unsigned database_;
  std::vector<std::string> names_;
  Random random_;
  coro::TaskGroup later_;
  unsigned version_ = 0;  // of what is written: no two values are alike
};

}  // namespace fnkit::test
