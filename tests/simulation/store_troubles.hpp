// What goes wrong between a follower and the simulated Valkey, one thing after the other.
#pragma once

#include "fnkit/coro/event.hpp"
#include "simulation/sim_valkey.hpp"

namespace fnkit::test {

// Of a network that is slow, or worse.
FaultPlan store_network_faults(Random& random);

class StoreTroubles {
 public:
  StoreTroubles(SimulatedRing& ring, SimValkey& server, uint64_t seed);

  // Makes trouble until end(), and returns some seconds later.
  coro::Task<void> run();
  // All is well from now on, the network too, but for connections that are dead without knowing it.
  void end();

 private:
  coro::Task<void> make_one();
  void cut_one();
  void freeze_one();
  void talk_garbage();
  coro::Task<void> hang(Duration duration);
  coro::Task<void> refuse(Duration duration);
  coro::Task<void> be_full(Duration duration);
  coro::Task<void> restart(Duration duration);
  SimValkeyClient* some_client();

  SimulatedRing& ring_;
  SimValkey& server_;
  Random random_;
  bool ended_ = false;
};

}  // namespace fnkit::test
