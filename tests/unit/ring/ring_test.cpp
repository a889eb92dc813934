// What holds for every ring: for the kernel's and for the one that tests of higher rooms run on.
#include "fnkit/ring/ring.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>

#include "fnkit/coro/task_group.hpp"
#include "support/world.hpp"

namespace fnkit {
namespace {

using coro::Task;
using ring::Operation;
using ring::Ring;
using ring::SendMode;
using test::Collector;
using test::kLong;
using test::pattern;
using test::RingKind;
using test::World;

constexpr Duration kShort = std::chrono::milliseconds(20);
constexpr size_t kLarge = 8 * 1024 * 1024;

struct Outcome {
  int32_t result = 1;
  bool done = false;
  Instant at{};
};

Task<void> send(Ring& ring, int fd, std::string_view bytes, SendMode mode, Duration stall,
                Outcome& outcome) {
  Operation operation;
  const size_t third = bytes.size() / 3;
  const std::array<std::string_view, 3> parts{bytes.substr(0, third), "", bytes.substr(third)};
  operation.send(fd, parts, mode, stall);
  ring.submit(operation);
  outcome.result = co_await operation.completed();
  outcome.at = ring.now();
  outcome.done = true;
}

Task<void> connect(Ring& ring, int fd, const net::Address& address, Instant deadline,
                   Outcome& outcome) {
  Operation operation;
  operation.connect(fd, address.raw(), address.length());
  ring.submit(operation, deadline);
  outcome.result = co_await operation.completed();
  outcome.at = ring.now();
  outcome.done = true;
}

void note_accepted(Operation& operation) {
  if (operation.result < 0) return;
  static_cast<std::vector<int>*>(operation.owner)->push_back(operation.result);
}

class RingTest : public testing::TestWithParam<RingKind> {
 protected:
  // Ends `reader` and closes both sockets; nothing may be left in flight.
  void close(std::pair<int, int> sockets, Collector& reader) {
    reader.cancel();
    EXPECT_TRUE(world_->turn_while([&] { return !reader.ended(); }));
    ring_.close(sockets.first);
    ring_.close(sockets.second);
    EXPECT_EQ(ring_.in_flight(), 0U);
    EXPECT_EQ(coro::frames_alive(), 0U);
  }

  std::unique_ptr<World> world_ = World::make(GetParam());
  Ring& ring_ = world_->ring();
};

TEST_P(RingTest, SmallDataArrivesInBothModes) {
  const auto sockets = world_->pair();
  Collector reader(ring_);
  reader.start(sockets.second);
  const std::string bytes = pattern(300);
  for (const SendMode mode : {SendMode::silent, SendMode::prompt}) {
    Outcome sent;
    coro::TaskGroup group;
    reader.bytes.clear();
    group.spawn(send(ring_, sockets.first, bytes, mode, kLong, sent));
    ASSERT_TRUE(world_->turn_while([&] { return !sent.done || reader.bytes.size() < 300; }));
    EXPECT_EQ(sent.result, 300);
    EXPECT_EQ(reader.bytes, bytes);
  }
  close(sockets, reader);
}

// 8 MiB fit no socket buffer, so a silent send gets away in part and goes on like a prompt one.
TEST_P(RingTest, LargeDataArrivesWholeThoughItsReaderComesLate) {
  const std::string bytes = pattern(kLarge);
  for (const SendMode mode : {SendMode::silent, SendMode::prompt}) {
    const auto sockets = world_->pair();
    Collector reader(ring_);
    Outcome sent;
    coro::TaskGroup group;
    group.spawn(send(ring_, sockets.first, bytes, mode, kShort * 4, sent));
    ring::Timer late([](void* context) { ++*static_cast<int*>(context); }, nullptr);
    int due = 0;
    late.owner = &due;
    ring_.timers().arm(late, later(ring_.now(), kShort));
    ASSERT_TRUE(world_->turn_while([&] { return due == 0; }));
    EXPECT_FALSE(sent.done) << "all of it fitted: the reader does not come late enough";
    reader.start(sockets.second);
    ASSERT_TRUE(world_->turn_while([&] { return !sent.done || reader.bytes.size() < kLarge; }));
    EXPECT_EQ(sent.result, static_cast<int32_t>(kLarge));
    EXPECT_TRUE(reader.bytes == bytes) << "bytes were lost, doubled or moved";
    close(sockets, reader);
  }
}

TEST_P(RingTest, ASendToAPeerThatNeverReadsStalls) {
  const std::string bytes = pattern(4 * kLarge);
  for (const SendMode mode : {SendMode::silent, SendMode::prompt}) {
    const auto sockets = world_->pair();
    Collector nobody(ring_);
    Outcome sent;
    coro::TaskGroup group;
    const Instant start = ring_.now();
    group.spawn(send(ring_, sockets.first, bytes, mode, kShort, sent));
    ASSERT_TRUE(world_->turn_while([&] { return !sent.done; }));
    EXPECT_EQ(sent.result, -ETIMEDOUT);
    EXPECT_GE(sent.at - start, kShort);
    close(sockets, nobody);
  }
}

// Not a byte of it gets away at first: to the kernel that is an error, to the sender it is not.
TEST_P(RingTest, ASilentSendIntoAFullSocketWaitsForRoom) {
  const std::string filling = pattern(4 * kLarge);
  const auto sockets = world_->pair();
  Outcome filled;
  coro::TaskGroup group;
  group.spawn(send(ring_, sockets.first, filling, SendMode::prompt, kShort, filled));
  ASSERT_TRUE(world_->turn_while([&] { return !filled.done; }));
  ASSERT_EQ(filled.result, -ETIMEDOUT);
  Outcome sent;
  group.spawn(send(ring_, sockets.first, "the last words", SendMode::silent, kLong, sent));
  ring_.turn();
  EXPECT_FALSE(sent.done);
  Collector reader(ring_);
  reader.start(sockets.second);
  const auto last_words = [&] { return reader.bytes.ends_with("the last words"); };
  ASSERT_TRUE(world_->turn_while([&] { return !sent.done || !last_words(); }));
  EXPECT_EQ(sent.result, 14);
  close(sockets, reader);
}

TEST_P(RingTest, ASendIsCancelled) {
  const std::string bytes = pattern(4 * kLarge);
  const auto sockets = world_->pair();
  Collector nobody(ring_);
  const std::array<std::string_view, 1> parts{bytes};
  Operation operation;
  operation.send(sockets.first, parts, SendMode::prompt, kLong);
  ring_.submit(operation);
  ring_.cancel(operation);
  ring_.cancel(operation);  // harmless
  EXPECT_TRUE(operation.submitted) << "a completion came inside cancel()";
  ASSERT_TRUE(world_->turn_while([&] { return operation.submitted; }));
  EXPECT_EQ(operation.result, -ECANCELED);
  ring_.cancel(operation);  // harmless
  close(sockets, nobody);
}

TEST_P(RingTest, TheEndOfAConnectionIsTheLastThingReceived) {
  const auto sockets = world_->pair();
  Collector reader(ring_);
  reader.start(sockets.second);
  const std::string bytes = pattern(20'000);
  Outcome sent;
  coro::TaskGroup group;
  group.spawn(send(ring_, sockets.first, bytes, SendMode::prompt, kLong, sent));
  ASSERT_TRUE(world_->turn_while([&] { return !sent.done; }));
  ring_.shut_down_sending(sockets.first);
  ASSERT_TRUE(world_->turn_while([&] { return !reader.ended(); }));
  EXPECT_EQ(reader.result(), 0);
  EXPECT_EQ(reader.bytes, bytes);
  close(sockets, reader);
}

TEST_P(RingTest, AResetEndsAReceiveAndFailsASend) {
  const auto sockets = world_->pair();
  Collector reader(ring_);
  reader.start(sockets.second);
  world_->reset(sockets.first);
  ASSERT_TRUE(world_->turn_while([&] { return !reader.ended(); }));
  EXPECT_EQ(reader.result(), -ECONNRESET);
  Outcome sent;
  coro::TaskGroup group;
  group.spawn(send(ring_, sockets.second, "x", SendMode::silent, kLong, sent));
  ASSERT_TRUE(world_->turn_while([&] { return !sent.done; }));
  EXPECT_EQ(sent.result, -EPIPE);
  ring_.close(sockets.second);
}

TEST_P(RingTest, ClosingWithUnreadInputResetsThePeer) {
  const auto sockets = world_->pair();
  Outcome sent;
  coro::TaskGroup group;
  group.spawn(send(ring_, sockets.first, "unread", SendMode::prompt, kLong, sent));
  ASSERT_TRUE(world_->turn_while([&] { return !sent.done; }));
  ring_.close(sockets.second);
  Collector reader(ring_);
  reader.start(sockets.first);
  ASSERT_TRUE(world_->turn_while([&] { return !reader.ended(); }));
  EXPECT_EQ(reader.result(), -ECONNRESET);
  ring_.close(sockets.first);
}

TEST_P(RingTest, AnAcceptCompletesForEachConnectionUntilCancelled) {
  const int listener = world_->listen();
  const net::Address address = world_->address_of(listener);
  std::vector<int> sockets;
  Operation accepting;
  accepting.handler = &note_accepted;
  accepting.owner = &sockets;
  accepting.accept(listener);
  ring_.submit(accepting);
  std::array<Outcome, 5> outcomes;
  std::vector<int> clients;
  coro::TaskGroup group;
  for (Outcome& outcome : outcomes) {
    clients.push_back(*ring_.open_socket(AF_INET));
    group.spawn(connect(ring_, clients.back(), address, kNever, outcome));
  }
  ASSERT_TRUE(world_->turn_while([&] { return sockets.size() < 5 || group.running() > 0; }));
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.result, 0);
  EXPECT_TRUE(accepting.submitted && accepting.more);
  ring_.cancel(accepting);
  ASSERT_TRUE(world_->turn_while([&] { return accepting.submitted; }));
  EXPECT_EQ(accepting.result, -ECANCELED);
  for (const int fd : sockets) ring_.close(fd);
  for (const int fd : clients) ring_.close(fd);
  ring_.close(listener);
}

TEST_P(RingTest, AConnectToAnAddressWithoutListenerIsRefused) {
  const int listener = world_->listen();
  const net::Address address = world_->address_of(listener);
  ring_.close(listener);
  const int client = *ring_.open_socket(AF_INET);
  Outcome outcome;
  coro::TaskGroup group;
  group.spawn(connect(ring_, client, address, later(ring_.now(), kLong), outcome));
  ASSERT_TRUE(world_->turn_while([&] { return !outcome.done; }));
  EXPECT_EQ(outcome.result, -ECONNREFUSED);
  ring_.close(client);
}

TEST_P(RingTest, ADeadlineEndsAnOperationAndNeverEarly) {
  const auto sockets = world_->pair();
  Collector reader(ring_);
  Operation waiting;
  waiting.receive(sockets.second);
  const Instant deadline = later(ring_.now(), kShort);
  ring_.submit(waiting, deadline);
  ASSERT_TRUE(world_->turn_while([&] { return waiting.submitted; }));
  EXPECT_EQ(waiting.result, -ETIMEDOUT);
  EXPECT_GE(ring_.now(), deadline);
  // In the past: at once, still not inside submit().
  waiting.receive(sockets.second);
  ring_.submit(waiting, ring_.now() - kShort);
  EXPECT_TRUE(waiting.submitted);
  ASSERT_TRUE(world_->turn_while([&] { return waiting.submitted; }));
  EXPECT_EQ(waiting.result, -ETIMEDOUT);
  close(sockets, reader);
}

TEST_P(RingTest, AHandlerMaySubmitASilentSend) {
  struct Echo {
    Ring& ring;
    Operation receive;
    Operation send;
    std::string bytes;
    static void received(Operation& operation) {
      auto& self = *static_cast<Echo*>(operation.owner);
      if (operation.result <= 0) return;
      self.bytes += operation.data;
      if (self.bytes.size() < 4) return;
      const std::array<std::string_view, 1> parts{self.bytes};
      self.send.send(operation.fd, parts, SendMode::silent, kLong);
      self.ring.submit(self.send);
    }
  };
  const auto sockets = world_->pair();
  Echo echo{ring_, {}, {}, {}};
  echo.receive.handler = &Echo::received;
  echo.receive.owner = &echo;
  echo.receive.receive(sockets.second);
  ring_.submit(echo.receive);
  Collector reader(ring_);
  reader.start(sockets.first);
  Outcome sent;
  coro::TaskGroup group;
  group.spawn(send(ring_, sockets.first, "ping", SendMode::prompt, kLong, sent));
  ASSERT_TRUE(world_->turn_while([&] { return !echo.send.submitted; }));
  // Handed over in the next turn at the earliest, so it cannot have ended in this one.
  ASSERT_TRUE(world_->turn_while([&] { return echo.send.submitted || reader.bytes.size() < 4; }));
  EXPECT_EQ(echo.send.result, 4);
  EXPECT_EQ(reader.bytes, "ping");
  ring_.cancel(echo.receive);
  ASSERT_TRUE(world_->turn_while([&] { return echo.receive.submitted; }));
  close(sockets, reader);
}

INSTANTIATE_TEST_SUITE_P(, RingTest, testing::Values(RingKind::simulated, RingKind::kernel),
                         test::kRingName);

}  // namespace
}  // namespace fnkit
