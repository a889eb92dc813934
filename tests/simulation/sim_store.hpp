// The store of a simulated program: a Valkey, who follows it for the worker, and who changes it.
#pragma once

#include <memory>
#include <vector>

#include "fnkit/server/worker.hpp"
#include "fnkit/store/store.hpp"
#include "simulation/sim_valkey.hpp"
#include "simulation/store_troubles.hpp"
#include "simulation/witness.hpp"

namespace fnkit::test {

class SimStore final : public store::SnapshotSink, KeyListener {
 public:
  // What stands in it is what `pipelines` are now, and the last of them moves. With `troubles` all
  // goes wrong that can, but no key is lost for good.
  SimStore(SimulatedRing& ring, std::vector<SimPipeline*> pipelines, server::Worker& worker,
           bool troubles, uint64_t seed);

  // Ends when stopped.
  coro::Task<void> run();
  void stop() { stopping_ = true; }
  // Everything has been read once.
  bool loaded() const { return loaded_; }

 private:
  void publish(std::shared_ptr<const store::Snapshot> snapshot) override;
  void tell(const store::FollowerStatus& status) override;
  void changed(unsigned, const std::string&, const SimValue*) override {}
  void told(const std::string&) override {}

  coro::Task<void> keep_moving();
  void put(const SimPipeline& pipeline);
  void move();

  SimulatedRing& ring_;
  std::vector<SimPipeline*> pipelines_;
  server::Worker& worker_;
  Random random_;
  net::Resolver resolver_;
  SimValkey valkey_;
  std::unique_ptr<StoreTroubles> troubles_;
  std::unique_ptr<store::Follower> follower_;
  coro::TaskGroup tasks_;
  bool loaded_ = false;
  bool stopping_ = false;
};

}  // namespace fnkit::test
