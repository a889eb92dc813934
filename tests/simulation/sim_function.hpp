// A function on the simulated network that behaves, and misbehaves, by chance.
#pragma once

#include <optional>
#include <string>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/net/listener.hpp"
#include "fnkit/net/stream.hpp"
#include "simulation/pause.hpp"
#include "simulation/witness.hpp"
#include "support/simulated_ring.hpp"

namespace fnkit::test {

struct FunctionManners {
  unsigned faults = 30;        // percent of the calls that do not go as they should
  bool talks_unasked = false;  // sends second answers, and answers to nothing, into the idle time
  bool mixes_up = false;       // the canary: answers some requests with what another asked for
  bool doubles = false;        // the canary: tells of some calls as if they had come twice
};

class SimFunction {
 public:
  SimFunction(SimulatedRing& ring, std::string name, const net::Address& address,
              FunctionManners manners, Witness& witness, uint64_t seed);

  // Ends when stopped and all its connections have ended.
  coro::Task<void> run();
  void stop() { listener_.stop(); }

 private:
  struct Call {
    std::string method;
    std::string target;
    unsigned id = 0;
    std::string body;
  };
  struct Mishap;

  coro::Task<void> serve(int fd);
  coro::Task<std::optional<Call>> read(net::Stream& stream, bool head_only);
  coro::Task<bool> answer(net::Stream& stream, int fd, const Call& call);
  coro::Task<bool> answer_badly(net::Stream& stream, int fd, const Call& call,
                                const std::string& good);
  Mishap mishap(const Call& call, const std::string& good);
  coro::Task<bool> answer_oddly(net::Stream& stream, const std::string& body);
  coro::Task<bool> say(net::Stream& stream, const std::string& bytes);
  std::optional<Call> take_call(Buffer& input, bool head_only);
  std::string content_type() const { return name_ == "json" ? "application/json" : "text/plain"; }
  std::string message(const std::string& status, const std::string& more_headers,
                      const std::string& body) const;

  SimulatedRing& ring_;
  std::string name_;
  FunctionManners manners_;
  Witness& witness_;
  Random random_;
  net::Listener listener_;
  unsigned last_id_ = 0;
  coro::TaskGroup connections_;
};

}  // namespace fnkit::test
