// What only the kernel's ring has: provided buffers that run out, completions that are spared, and
// other threads.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <deque>
#include <set>
#include <thread>

#include "fnkit/ring/wakeup.hpp"
#include "ring/kernel_ring.hpp"
#include "support/world.hpp"

namespace fnkit {
namespace {

using ring::Operation;
using ring::SendMode;
using test::Collector;
using test::kLong;
using test::pattern;
using test::RingKind;
using test::World;

class KernelRingTest : public testing::Test {
 protected:
  std::unique_ptr<World> world_ = World::make(RingKind::kernel);
  ring::Ring& ring_ = world_->ring();
};

void count(void* context) { ++*static_cast<int*>(context); }

// Told without looking at the socket where nothing has come to the loop, and by looking else.
TEST_F(KernelRingTest, WhatIsUnreadIsToldBeforeTheReceiveTellsIt) {
  const auto sockets = world_->pair();
  Collector collector(ring_);
  collector.start(sockets.first);
  int fired = 0;
  ring::Timer timer(&count, &fired);
  ring_.timers().arm(timer, later(ring_.now(), std::chrono::milliseconds(1)));
  ASSERT_TRUE(world_->turn_while([&] { return fired == 0; }));
  EXPECT_EQ(ring_.unread(sockets.first), ring::Unread::nothing);
  ASSERT_EQ(::write(sockets.second, "x", 1), 1);
  EXPECT_EQ(ring_.unread(sockets.first), ring::Unread::bytes);
  ASSERT_TRUE(world_->turn_while([&] { return collector.bytes.empty(); }));
  EXPECT_EQ(ring_.unread(sockets.first), ring::Unread::nothing);
  ::close(sockets.second);
  EXPECT_EQ(ring_.unread(sockets.first), ring::Unread::end);
  ASSERT_TRUE(world_->turn_while([&] { return !collector.ended(); }));
  ring_.close(sockets.first);
}

// Its success posts no completion: it does not end the loop's wait, which goes on to the timer.
TEST_F(KernelRingTest, ASilentSendNeedsNoTurnOfItsOwn) {
  const auto sockets = world_->pair();
  const std::string bytes = pattern(1000);
  const std::array<std::string_view, 1> parts{bytes};
  int fired = 0;
  ring::Timer timer(&count, &fired);
  Operation operation;
  for (int round = 0; round < 5; ++round) {
    ring_.timers().arm(timer, later(ring_.now(), std::chrono::milliseconds(20)));
    operation.send(sockets.first, parts, SendMode::silent, kLong);
    ring_.submit(operation);
    const Instant wakeup = ring_.timers().next_wakeup();
    ring_.turn();
    EXPECT_FALSE(operation.submitted) << "it needs a second turn";
    EXPECT_EQ(operation.result, 1000);
    EXPECT_GE(ring_.now(), wakeup) << "something ended the wait before the timer";
  }
  // A prompt send ends the wait.
  timer.unlink();
  ring_.timers().arm(timer, later(ring_.now(), kLong));
  operation.send(sockets.first, parts, SendMode::prompt, kLong);
  const Instant before = ring_.now();
  ring_.submit(operation);
  ring_.turn();
  EXPECT_FALSE(operation.submitted);
  EXPECT_LT(ring_.now() - before, kLong / 2);
  ring_.close(sockets.first);
  ring_.close(sockets.second);
}

// The kernel runs some 20 receives a turn; of 64 KiB each, these need more than the 256 buffers
// that there are, and all 400 need 6400.
TEST_F(KernelRingTest, MoreConnectionsThanBuffersGetAllTheirData) {
  constexpr size_t kConnections = 400;
  constexpr size_t kBytes = 64 * 1024;
  std::vector<std::pair<int, int>> sockets;
  std::deque<Collector> readers;
  const std::string bytes = pattern(kBytes);
  for (size_t i = 0; i < kConnections; ++i) {
    sockets.push_back(world_->pair());
    readers.emplace_back(ring_).start(sockets.back().second);
  }
  for (const auto& [client, server] : sockets) {
    ASSERT_EQ(::write(client, bytes.data(), bytes.size()), static_cast<ssize_t>(kBytes));
  }
  for (const auto& [client, server] : sockets) ring_.shut_down_sending(client);
  for (size_t i = 0; i < kConnections; ++i) {
    ASSERT_TRUE(world_->turn_while([&] { return !readers[i].ended(); }));
    EXPECT_EQ(readers[i].result(), 0);
    EXPECT_TRUE(readers[i].bytes == bytes) << "connection " << i;
  }
  for (const auto& [client, server] : sockets) {
    ring_.close(client);
    ring_.close(server);
  }
}

// Bytes and a reset right behind them, before the receive is armed or while nobody looks.
TEST_F(KernelRingTest, AResetBehindTheLastBytesIsTold) {
  for (const bool armed_before : {false, true}) {
    const auto [client, server] = world_->pair();
    Collector reader(ring_);
    if (armed_before) {
      reader.start(server);
      int fired = 0;
      ring::Timer timer(&count, &fired);
      ring_.timers().arm(timer, ring_.now());
      ASSERT_TRUE(world_->turn_while([&] { return fired == 0; }));
    }
    ASSERT_EQ(::write(client, "hello", 5), 5);
    world_->reset(client);
    if (!armed_before) reader.start(server);
    bool over = false;
    ring::Timer guard([](void* flag) { *static_cast<bool*>(flag) = true; }, &over);
    ring_.timers().arm(guard, later(ring_.now(), std::chrono::seconds(10)));
    ASSERT_TRUE(world_->turn_while([&] { return !reader.ended() && !over; }));
    EXPECT_EQ(reader.bytes, "hello");
    EXPECT_EQ(reader.result(), -ECONNRESET) << (armed_before ? "armed before" : "armed behind");
    reader.cancel();
    ASSERT_TRUE(world_->turn_while([&] { return !reader.ended(); }));
    ring_.close(server);
  }
}

// More is submitted in one turn than the submission queue holds.
TEST_F(KernelRingTest, MoreOperationsThanTheQueueHoldsAreAllDone) {
  constexpr size_t kOperations = 3000;
  const int fd = eventfd(0, EFD_CLOEXEC);
  std::array<char, 8> counter{};
  std::deque<Operation> reads;
  for (size_t i = 0; i < kOperations; ++i) {
    reads.emplace_back().read(fd, counter);
    ring_.submit(reads.back());
  }
  EXPECT_EQ(ring_.in_flight(), kOperations);
  for (Operation& read : reads) ring_.cancel(read);
  ASSERT_TRUE(world_->turn_while([&] { return ring_.in_flight() > 0; }));
  for (const Operation& read : reads) ASSERT_EQ(read.result, -ECANCELED);
  ::close(fd);
}

TEST_F(KernelRingTest, PollAndReadTellOfAPipe) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  Operation poll;
  poll.poll(ends[0], POLLIN);
  ring_.submit(poll);
  ASSERT_EQ(::write(ends[1], "hello", 5), 5);
  ASSERT_TRUE(world_->turn_while([&] { return poll.submitted; }));
  EXPECT_NE(poll.result & POLLIN, 0);
  std::array<char, 16> into{};
  Operation read;
  read.read(ends[0], into);
  ring_.submit(read);
  ASSERT_TRUE(world_->turn_while([&] { return read.submitted; }));
  EXPECT_EQ(std::string_view(into.data(), 5), "hello");
  EXPECT_EQ(read.result, 5);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(KernelRingTest, AnotherThreadWakesTheLoopAndNoNotificationIsLost) {
  ring::Wakeup wakeup;
  int seen = 0;
  wakeup.listen(ring_, &count, &seen);
  for (int round = 1; round <= 50; ++round) {
    const int before = seen;
    std::thread other([&] { wakeup.notify(); });
    EXPECT_TRUE(world_->turn_while([&] { return seen == before; }));
    other.join();
  }
  ring_.run(wakeup.stop());
  EXPECT_EQ(ring_.in_flight(), 0U);
}

TEST_F(KernelRingTest, AWakeupBeforeListeningIsSeenAndStoppingTwiceIsHarmless) {
  ring::Wakeup wakeup;
  wakeup.notify();
  wakeup.notify();
  int seen = 0;
  wakeup.listen(ring_, &count, &seen);
  EXPECT_TRUE(world_->turn_while([&] { return seen == 0; }));
  ring_.run(wakeup.stop());
  ring_.run(wakeup.stop());
  EXPECT_EQ(ring_.in_flight(), 0U);
}

// What the kernel answers to one entry of this operation.
int32_t answer_to(io_uring& kernel, uint8_t operation, uint8_t flags) {
  io_uring_sqe* entry = io_uring_get_sqe(&kernel);
  io_uring_prep_rw(operation, entry, -1, nullptr, 0, 0);
  entry->flags = flags;
  io_uring_cqe* completion = nullptr;
  if (io_uring_submit_and_wait(&kernel, 1) != 1) return 1;
  if (io_uring_wait_cqe(&kernel, &completion) != 0) return 1;
  const int32_t result = completion->res;
  io_uring_cqe_seen(&kernel, completion);
  return result;
}

TEST(KernelRingRestrictionsTest, NothingButWhatItNeedsIsDone) {
  static const std::set<int> kNeeded{IORING_OP_ACCEPT,  IORING_OP_RECV,        IORING_OP_SEND,
                                     IORING_OP_SENDMSG, IORING_OP_CONNECT,     IORING_OP_POLL_ADD,
                                     IORING_OP_READ,    IORING_OP_ASYNC_CANCEL};
  ring::KernelRing ring;
  ASSERT_TRUE(ring.set_up());
  for (int operation = IORING_OP_NOP; operation < IORING_OP_LAST; ++operation) {
    const int32_t answer = answer_to(ring.kernel_side(), static_cast<uint8_t>(operation), 0);
    EXPECT_EQ(answer == -EACCES, !kNeeded.contains(operation)) << operation << ": " << answer;
  }
  for (const unsigned flag : {IOSQE_FIXED_FILE, IOSQE_IO_DRAIN, IOSQE_IO_LINK, IOSQE_ASYNC}) {
    EXPECT_EQ(answer_to(ring.kernel_side(), IORING_OP_READ, static_cast<uint8_t>(flag)), -EACCES);
  }
}

TEST(KernelRingRestrictionsTest, NothingIsRegisteredOrAllowedLater) {
  ring::KernelRing ring;
  ASSERT_TRUE(ring.set_up());
  io_uring& kernel = ring.kernel_side();
  const int file = 0;
  EXPECT_EQ(io_uring_register_files(&kernel, &file, 1), -EACCES);
  EXPECT_LT(ring::restrict_and_enable(kernel), 0);
}

}  // namespace
}  // namespace fnkit
