// The two rings behind one face, so that one set of tests holds for the kernel and for its model.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/simulated_ring.hpp"

namespace fnkit::test {

// Far more than any test takes.
inline constexpr Duration kLong = std::chrono::seconds(60);

enum class RingKind { simulated, kernel };
// Names of instances of tests over both.
inline constexpr auto kRingName = [](const auto& info) -> std::string {
  return info.param == RingKind::kernel ? "kernel" : "simulated";
};

class World {
 public:
  static std::unique_ptr<World> make(RingKind kind, uint64_t seed = 1, FaultPlan plan = {});
  virtual ~World() = default;

  virtual ring::Ring& ring() = 0;
  // A listening socket on an address of its own (told by address_of), to be given to a Listener.
  virtual int listen() = 0;
  virtual net::Address address_of(int listener) = 0;
  // Two connected sockets.
  virtual std::pair<int, int> pair() = 0;
  // Resets the connection of `fd` as seen from its peer, and closes `fd`.
  virtual void reset(int fd) = 0;

  // Turns while `condition` holds; a test that needs more than `turns_max` has failed.
  template <class Condition>
  bool turn_while(Condition condition, int turns_max = 1'000'000) {
    while (condition() && turns_max-- > 0) ring().turn();
    return !condition();
  }
};

// An armed receive and all that it brought.
class Collector {
 public:
  explicit Collector(ring::Ring& ring) : ring_(ring) {
    operation_.handler = &completed;
    operation_.owner = this;
  }
  void start(int fd) {
    operation_.receive(fd);
    ring_.submit(operation_);
  }
  void cancel() { ring_.cancel(operation_); }

  bool ended() const { return !operation_.submitted; }
  int32_t result() const { return operation_.result; }

  std::string bytes;
  size_t pieces = 0;

 private:
  static void completed(ring::Operation& operation) {
    auto& self = *static_cast<Collector*>(operation.owner);
    if (operation.result <= 0) return;
    self.bytes += operation.data;
    ++self.pieces;
  }

  ring::Ring& ring_;
  ring::Operation operation_;
};

// Bytes without a period that a lost, doubled or moved piece could hide in.
std::string pattern(size_t bytes, uint64_t seed = 1);

}  // namespace fnkit::test
