// A caller on the simulated network.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "fnkit/net/stream.hpp"
#include "simulation/witness.hpp"
#include "support/simulated_ring.hpp"

namespace fnkit::test {

struct CallerManners {
  unsigned requests = 5;
  unsigned leaves = 10;      // percent of the requests whose answer it does not wait for
  unsigned half_closes = 5;  // percent after which it ends its side, and reads on
  Duration think_max = std::chrono::milliseconds(200);
  Duration think_min{};
  size_t body_bytes_max = 20'000;
};

class SimCaller {
 public:
  // It asks for one of `pipelines` each time. `next_id` is shared by all callers.
  SimCaller(SimulatedRing& ring, net::Address server, std::vector<const SimPipeline*> pipelines,
            CallerManners manners, Witness& witness, unsigned& next_id, uint64_t seed);

  coro::Task<void> run();

 private:
  enum class Waited { answered, ended, left };

  coro::Task<bool> connect();
  coro::Task<void> disconnect();
  coro::Task<Waited> ask(const SimRequest& request);
  coro::Task<Waited> await_answer(const SimRequest& request);
  SimRequest make_request();

  SimulatedRing& ring_;
  net::Address server_;
  std::vector<const SimPipeline*> pipelines_;
  CallerManners manners_;
  Witness& witness_;
  unsigned& next_id_;
  Random random_;
  std::unique_ptr<net::Stream> stream_;
  int socket_ = -1;
  bool server_closes_ = false;
};

}  // namespace fnkit::test
