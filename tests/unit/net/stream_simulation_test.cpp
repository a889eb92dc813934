// Streams over a faulty network: what holds whatever happens.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/net/stream.hpp"
#include "support/world.hpp"

namespace fnkit {
namespace {

using coro::Task;
using net::Stream;
using ring::SendMode;
using test::pattern;
using test::SimulatedRing;

struct Story {
  std::string bytes;
  size_t received = 0;
  bool in_order = true;
};

Task<void> write_and_close(Stream& stream, std::string_view bytes, SimulatedRing& ring) {
  while (!bytes.empty()) {
    const size_t count = std::min(bytes.size(), ring.random().below(40'000) + 1);
    const std::array<std::string_view, 1> parts{bytes.substr(0, count)};
    const SendMode mode = ring.random().chance(50) ? SendMode::silent : SendMode::prompt;
    stream.start_send(parts, mode, std::chrono::seconds(2));
    Result<void> sent = co_await stream.sent();
    if (!sent) break;
    bytes.remove_prefix(count);
  }
  co_await stream.linger_and_close(std::chrono::seconds(1));
}

// Takes what has come now and then, and makes room for more, small or large.
Task<void> read_and_close(Stream& stream, Story& story, SimulatedRing& ring) {
  const Instant until = later(ring.now(), std::chrono::seconds(20));
  size_t taken = 0;
  if (ring.random().chance(70)) stream.receive_directly(Stream::Direct::to_reader);
  for (;;) {
    Result<size_t> arrived = co_await stream.receive(until);
    const std::string_view view = stream.input().view();
    if (story.bytes.compare(taken, view.size(), view) != 0) story.in_order = false;
    story.received = taken + view.size();
    if (!arrived || *arrived == 0) break;
    if (ring.random().chance(50)) {
      taken = story.received;
      stream.input().clear();
    }
    if (ring.random().chance(50)) stream.input().make_exact_room(ring.random().below(100'000));
  }
  if (ring.random().chance(50)) {
    co_await stream.linger_and_close(std::chrono::seconds(1));
  } else {
    co_await stream.close();
  }
}

// Faults at every verb and a stop at any time: what arrives is always the beginning of what was
// sent, everything ends, nothing leaks.
TEST(StreamSimulationTest, WhateverHappensBytesStayInOrderAndEverythingEnds) {
  size_t whole = 0;
  size_t in_place = 0;
  for (uint64_t seed = 1; seed <= 300 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SimulatedRing ring(seed);
    if (ring.random().chance(60)) {
      ring.faults().reset = static_cast<unsigned>(ring.random().below(4));
      ring.faults().send_fails = static_cast<unsigned>(ring.random().below(20));
    }
    Story story{pattern(ring.random().below(200'000), seed)};
    const auto sockets = ring.connected_pair();
    Stream writer(ring, sockets.first);
    Stream reader(ring, sockets.second);
    ring::Timer stop([](void* stream) { static_cast<Stream*>(stream)->stop(); },
                     ring.random().chance(50) ? &writer : &reader);
    if (ring.random().chance(30)) {
      ring.timers().arm(stop,
                        later(ring.now(), std::chrono::microseconds(ring.random().below(100'000))));
    }
    if (ring.random().chance(10)) ring.freeze(sockets.first);
    coro::TaskGroup group;
    group.spawn(write_and_close(writer, story.bytes, ring));
    group.spawn(read_and_close(reader, story, ring));
    while (group.running() > 0) ring.turn();
    EXPECT_TRUE(story.in_order);
    EXPECT_EQ(ring.open_sockets(), 0U);
    EXPECT_EQ(coro::frames_alive(), 0U);
    whole += story.received == story.bytes.size() ? 1 : 0;
    in_place += ring.received_in_place();
  }
  EXPECT_GT(whole, 50U) << "hardly any run gets through: the faults hide everything else";
  EXPECT_LT(whole, 250U) << "hardly any run fails: the faults test nothing";
  EXPECT_GT(in_place, 300U) << "hardly anything goes straight to its place";
}

// The ring itself aborts where a socket is closed under an operation.
TEST(StreamSimulationTest, ClosingWaitsForASendThatNobodyAwaits) {
  const std::string bytes = pattern(200'000);
  const std::array<std::string_view, 1> parts{bytes};
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    SimulatedRing ring(seed);
    const auto sockets = ring.connected_pair();
    Stream stream(ring, sockets.first);
    stream.start_send(parts, SendMode::prompt, std::chrono::seconds(1));
    ring.run(stream.close());
    EXPECT_EQ(ring.in_flight(), 0U);
    ring.close(sockets.second);
  }
}

}  // namespace
}  // namespace fnkit
