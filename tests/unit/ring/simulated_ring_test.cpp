// The model itself: that it repeats itself, and that it fails where it should.
#include <gtest/gtest.h>

#include <array>
#include <cerrno>

#include "fnkit/ring/wakeup.hpp"
#include "support/world.hpp"

namespace fnkit {
namespace {

using coro::Task;
using ring::Operation;
using ring::SendMode;
using test::Collector;
using test::FaultPlan;
using test::pattern;
using test::SimulatedRing;

Task<void> send_all(SimulatedRing& ring, int fd, std::string_view bytes) {
  Operation operation;
  const std::array<std::string_view, 1> parts{bytes};
  operation.send(fd, parts, SendMode::silent, std::chrono::seconds(1));
  ring.submit(operation);
  const int32_t result = co_await operation.completed();
  EXPECT_EQ(result, static_cast<int32_t>(bytes.size()));
}

struct RunOfSeed {
  uint64_t trace;
  size_t pieces;
  Duration took;
};

RunOfSeed run_of(uint64_t seed) {
  SimulatedRing ring(seed);
  const Instant start = ring.now();
  const auto sockets = ring.connected_pair();
  const std::string bytes = pattern(100'000);
  Collector reader(ring);
  reader.start(sockets.second);
  ring.run(send_all(ring, sockets.first, bytes));
  ring.close(sockets.first);
  while (!reader.ended()) ring.turn();
  EXPECT_EQ(reader.bytes, bytes);
  EXPECT_EQ(reader.result(), 0);
  ring.close(sockets.second);
  EXPECT_EQ(ring.open_sockets(), 0U);
  return {ring.trace(), reader.pieces, ring.now() - start};
}

TEST(SimulatedRingTest, TheSameSeedGivesTheSameRunAndAnotherSeedAnother) {
  for (uint64_t seed = 1; seed < 20; ++seed) {
    const RunOfSeed one = run_of(seed);
    EXPECT_EQ(one.trace, run_of(seed).trace);
    EXPECT_NE(one.trace, run_of(seed + 1).trace);
    EXPECT_GT(one.pieces, 25U) << "nothing was cut";
    EXPECT_GT(one.took, Duration::zero()) << "nothing took time";
  }
}

TEST(SimulatedRingTest, AFrozenConnectionGoesOnWhenThawed) {
  SimulatedRing ring(3);
  const auto sockets = ring.connected_pair();
  Collector reader(ring);
  reader.start(sockets.second);
  ring.freeze(sockets.first);
  ring.run(send_all(ring, sockets.first, "hello"));
  int fired = 0;
  ring::Timer timer([](void* context) { ++*static_cast<int*>(context); }, &fired);
  ring.timers().arm(timer, later(ring.now(), std::chrono::hours(1)));
  while (fired == 0) ring.turn();
  EXPECT_EQ(reader.bytes, "");
  ring.thaw(sockets.second);
  while (reader.bytes.size() < 5) ring.turn();
  EXPECT_EQ(reader.bytes, "hello");
  ring.kill(sockets.first);
  while (!reader.ended()) ring.turn();
  EXPECT_EQ(reader.result(), -ECONNRESET);
  ring.close(sockets.first);
  ring.close(sockets.second);
}

TEST(SimulatedRingTest, AWakeupIsSeen) {
  SimulatedRing ring(1);
  ring::Wakeup wakeup;
  int seen = 0;
  wakeup.listen(
      ring, [](void* context) { ++*static_cast<int*>(context); }, &seen);
  wakeup.notify();
  while (seen == 0) ring.turn();
  ring.run(wakeup.stop());
}

TEST(SimulatedRingDeathTest, WaitingForNothingIsFound) {
  EXPECT_DEATH(
      {
        SimulatedRing ring(77);
        const auto sockets = ring.connected_pair();
        Collector reader(ring);
        reader.start(sockets.first);
        for (;;) ring.turn();
      },
      "seed 77: the simulation is stuck(.|\n)*in flight: receive on 1000000");
}

TEST(SimulatedRingDeathTest, ALeakedSocketIsFound) {
  EXPECT_DEATH(
      {
        SimulatedRing ring(1);
        ring.connected_pair();
      },
      "a socket is still open(.|\n)*open: 1000001, peer 1000000");
}

TEST(SimulatedRingDeathTest, ASecondCloseIsFound) {
  EXPECT_DEATH(
      {
        SimulatedRing ring(1);
        const auto sockets = ring.connected_pair();
        ring.close(sockets.first);
        ring.close(sockets.first);
      },
      "not \\(or no longer\\) open");
}

TEST(SimulatedRingDeathTest, ClosingUnderAnOperationIsFound) {
  EXPECT_DEATH(
      {
        SimulatedRing ring(1);
        const auto sockets = ring.connected_pair();
        Collector reader(ring);
        reader.start(sockets.first);
        ring.close(sockets.first);
      },
      "closed under an operation");
}

}  // namespace
}  // namespace fnkit
