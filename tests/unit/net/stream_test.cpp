#include "fnkit/net/stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "fnkit/coro/task_group.hpp"
#include "support/world.hpp"

namespace fnkit {
namespace {

using coro::Task;
using net::Stream;
using ring::SendMode;
using test::pattern;
using test::RingKind;
using test::World;

constexpr Duration kLong = std::chrono::seconds(60);
constexpr Duration kShort = std::chrono::milliseconds(20);
// One completion may be on its way when a pause begins; the kernel's ring has 256 x 4 KiB.
constexpr size_t kOnItsWayMax = 1024 * 1024 + 4096;

struct Received {
  std::string bytes;
  std::optional<int> error;  // 0: the end of the stream
};

Task<void> receive_all(Stream& stream, Instant deadline, Received& received) {
  while (!received.error) {
    Result<size_t> arrived = co_await stream.receive(deadline);
    received.bytes += stream.input().view();
    stream.input().clear();
    if (!arrived) {
      received.error = arrived.error().code;
    } else if (*arrived == 0) {
      received.error = 0;
    }
  }
}

Task<void> receive_once(Stream& stream, Instant deadline, std::optional<Result<size_t>>& outcome) {
  Result<size_t> arrived = co_await stream.receive(deadline);
  outcome.emplace(std::move(arrived));
}

// Makes room for all of it when the first bytes have come; where they stood then.
Task<void> receive_in_place(Stream& stream, size_t bytes, Instant deadline, const char*& place) {
  Result<size_t> arrived = co_await stream.receive(deadline);
  stream.input().make_exact_room(bytes - stream.input().size());
  place = stream.input().data();
  while (arrived && stream.input().size() < bytes) {
    Result<size_t> more = co_await stream.receive(deadline);
    arrived = std::move(more);
  }
}

Task<void> send(Stream& stream, std::string_view bytes, SendMode mode, Duration stall,
                std::optional<int>& error) {
  const std::array<std::string_view, 2> parts{bytes.substr(0, 1), bytes.substr(1)};
  stream.start_send(parts, mode, stall);
  Result<void> sent = co_await stream.sent();
  error = sent ? 0 : sent.error().code;
}

class StreamTest : public testing::TestWithParam<RingKind> {
 protected:
  void TearDown() override {
    if (one_open_) ring_.run(one_.close());
    if (other_open_) ring_.run(other_.close());
    EXPECT_EQ(ring_.in_flight(), 0U);
    EXPECT_EQ(coro::frames_alive(), 0U);
  }
  // Turns until `time` has passed.
  void pass(Duration time) {
    bool passed = false;
    ring::Timer timer([](void* flag) { *static_cast<bool*>(flag) = true; }, &passed);
    ring_.timers().arm(timer, later(ring_.now(), time));
    ASSERT_TRUE(world_->turn_while([&] { return !passed; }));
  }

  std::unique_ptr<World> world_ = World::make(GetParam());
  ring::Ring& ring_ = world_->ring();
  std::pair<int, int> sockets_ = world_->pair();
  Stream one_{ring_, sockets_.first};
  Stream other_{ring_, sockets_.second};
  bool one_open_ = true;  // not yet closed by the test
  bool other_open_ = true;
  coro::TaskGroup group_;
};

TEST_P(StreamTest, CarriesBytesBothWaysAtOnce) {
  const std::string there = pattern(3'000'000, 1);
  const std::string back = pattern(2'000'000, 2);
  Received at_one;
  Received at_other;
  std::optional<int> one_sent;
  std::optional<int> other_sent;
  group_.spawn(receive_all(one_, kNever, at_one));
  group_.spawn(receive_all(other_, kNever, at_other));
  group_.spawn(send(one_, there, SendMode::silent, kLong, one_sent));
  group_.spawn(send(other_, back, SendMode::prompt, kLong, other_sent));
  ASSERT_TRUE(world_->turn_while([&] {
    return at_one.bytes.size() < back.size() || at_other.bytes.size() < there.size() || !one_sent ||
           !other_sent;
  }));
  EXPECT_EQ(one_sent, 0);
  EXPECT_EQ(other_sent, 0);
  EXPECT_TRUE(at_one.bytes == back && at_other.bytes == there);
  one_.stop();
  other_.stop();
  ASSERT_TRUE(world_->turn_while([&] { return group_.running() > 0; }));
  EXPECT_EQ(at_one.error, ECANCELED);
  EXPECT_EQ(at_other.error, ECANCELED);
}

TEST_P(StreamTest, ReadsAheadSoFarAndThenOn) {
  const std::string bytes = pattern(8'000'000);
  std::optional<int> sent;
  group_.spawn(send(one_, bytes, SendMode::prompt, kLong, sent));
  pass(std::chrono::milliseconds(200));
  EXPECT_GT(other_.input().size(), Stream::kReadAheadMax);
  EXPECT_LT(other_.input().size(), kOnItsWayMax) << "who is not read fills the memory";
  const size_t collected = other_.input().size();
  pass(kShort);
  EXPECT_EQ(other_.input().size(), collected) << "it is not paused";
  Received received;
  group_.spawn(receive_all(other_, kNever, received));
  ASSERT_TRUE(world_->turn_while([&] { return !sent || received.bytes.size() < bytes.size(); }));
  EXPECT_TRUE(received.bytes == bytes);
  other_.stop();
  ASSERT_TRUE(world_->turn_while([&] { return group_.running() > 0; }));
}

TEST_P(StreamTest, ALargeMessageGoesStraightToItsPlaceAndTheNextOneToo) {
  const std::string message = pattern(3'000'000);
  other_.receive_directly(Stream::Direct::to_reader);
  for (int i = 0; i < 2; ++i) {
    std::optional<int> sent;
    const char* place = nullptr;
    group_.spawn(receive_in_place(other_, message.size(), kNever, place));
    group_.spawn(send(one_, message, SendMode::prompt, kLong, sent));
    ASSERT_TRUE(world_->turn_while([&] { return group_.running() > 0; }));
    EXPECT_EQ(sent, 0);
    EXPECT_TRUE(other_.input().view() == message);
    EXPECT_EQ(other_.input().data(), place);
    other_.input().clear();
  }
  std::optional<Result<size_t>> told;
  group_.spawn(receive_once(other_, kNever, told));
  one_open_ = false;
  ring_.run(one_.close());
  ASSERT_TRUE(world_->turn_while([&] { return !told; }));
  EXPECT_EQ(**told, 0U) << "the end is not seen behind a large message";
}

// A flood into a place that nobody looks at any more.
TEST_P(StreamTest, StopAndLingerWhileALargeMessageIsOnItsWay) {
  for (const bool lingers : {false, true}) {
    const auto sockets = world_->pair();
    Stream from(ring_, sockets.first);
    Stream to(ring_, sockets.second);
    to.receive_directly(Stream::Direct::to_reader);
    const char* place = nullptr;
    std::optional<int> sent;
    const std::string half = pattern(300'000);
    coro::TaskGroup reading;
    const Instant deadline = lingers ? later(ring_.now(), std::chrono::seconds(1)) : kNever;
    reading.spawn(receive_in_place(to, 2 * half.size(), deadline, place));
    group_.spawn(send(from, half, SendMode::prompt, kLong, sent));
    ASSERT_TRUE(world_->turn_while([&] { return to.input().size() < half.size(); }));
    EXPECT_TRUE(to.input().view() == half);
    if (lingers) {
      ASSERT_TRUE(world_->turn_while([&] { return reading.running() > 0; }));
      from.start_send(std::array<std::string_view, 1>{half}, SendMode::prompt, kLong);
      ring_.run(to.linger_and_close(kShort));
    } else {
      ring_.run(to.close());
    }
    ring_.run(from.close());
    ASSERT_TRUE(world_->turn_while([&] { return group_.running() + reading.running() > 0; }));
  }
}

TEST_P(StreamTest, AReceiveEndsAtItsDeadlineAndTheNextGoesOn) {
  std::optional<Result<size_t>> outcome;
  const Instant deadline = later(ring_.now(), kShort);
  group_.spawn(receive_once(one_, deadline, outcome));
  ASSERT_TRUE(world_->turn_while([&] { return !outcome; }));
  EXPECT_EQ(outcome->error().code, ETIMEDOUT);
  EXPECT_GE(ring_.now(), deadline);
  outcome.reset();
  std::optional<int> sent;
  group_.spawn(receive_once(one_, later(ring_.now(), kLong), outcome));
  group_.spawn(send(other_, "late", SendMode::prompt, kLong, sent));
  ASSERT_TRUE(world_->turn_while([&] { return group_.running() > 0; }));
  ASSERT_TRUE(*outcome);
  EXPECT_GE(**outcome, 1U);
}

TEST_P(StreamTest, TheEndComesAfterTheDataAndStays) {
  std::optional<int> sent;
  group_.spawn(send(one_, "last words", SendMode::prompt, kLong, sent));
  ASSERT_TRUE(world_->turn_while([&] { return !sent; }));
  Received received;
  group_.spawn(receive_all(other_, kNever, received));
  ring_.run(one_.close());
  one_open_ = false;
  ASSERT_TRUE(world_->turn_while([&] { return group_.running() > 0; }));
  EXPECT_EQ(received.bytes, "last words");
  EXPECT_EQ(received.error, 0);
  EXPECT_TRUE(other_.ended());
  std::optional<Result<size_t>> again;
  group_.spawn(receive_once(other_, kNever, again));
  ASSERT_TRUE(again && *again) << "it is known at once";
  EXPECT_EQ(**again, 0U);
}

TEST_P(StreamTest, WhileNobodyReceivesArrivalsAreTold) {
  int told = 0;
  other_.on_arrival([](void* count) { ++*static_cast<int*>(count); }, &told);
  std::optional<int> sent;
  group_.spawn(send(one_, "unasked", SendMode::prompt, kLong, sent));
  ASSERT_TRUE(world_->turn_while([&] { return other_.input().size() < 7 || !sent; }));
  EXPECT_GE(told, 1);
  told = 0;
  ring_.run(one_.close());
  one_open_ = false;
  ASSERT_TRUE(world_->turn_while([&] { return told == 0; }));
  EXPECT_TRUE(other_.ended());
  EXPECT_EQ(told, 1);
}

TEST_P(StreamTest, ASendNobodyReadsStallsAndClosingFollows) {
  other_.stop();
  const std::string bytes = pattern(16'000'000);
  std::optional<int> sent;
  group_.spawn(send(one_, bytes, SendMode::silent, kShort, sent));
  ASSERT_TRUE(world_->turn_while([&] { return !sent; }));
  EXPECT_EQ(sent, ETIMEDOUT);
}

TEST_P(StreamTest, StopEndsAReceiveAndASendThatWait) {
  other_.stop();
  const std::string bytes = pattern(16'000'000);
  Received received;
  std::optional<int> sent;
  group_.spawn(receive_all(one_, kNever, received));
  group_.spawn(send(one_, bytes, SendMode::prompt, kLong, sent));
  pass(kShort);
  EXPECT_FALSE(sent);
  one_.stop();
  one_.stop();
  ASSERT_TRUE(world_->turn_while([&] { return group_.running() > 0; }));
  EXPECT_EQ(sent, ECANCELED);
  EXPECT_EQ(received.error, ECANCELED);
  // Afterwards neither waits any more.
  Received late;
  std::optional<int> late_sent;
  group_.spawn(receive_all(one_, kNever, late));
  EXPECT_EQ(late.error, ECANCELED);
  group_.spawn(send(one_, bytes, SendMode::prompt, kLong, late_sent));
  ASSERT_TRUE(world_->turn_while([&] { return !late_sent; }));
  EXPECT_EQ(late_sent, ECANCELED);
}

TEST_P(StreamTest, StopAndCloseWhilePaused) {
  const std::string bytes = pattern(8'000'000);
  std::optional<int> sent;
  group_.spawn(send(one_, bytes, SendMode::prompt, kLong, sent));
  pass(std::chrono::milliseconds(100));
  ring_.run(other_.close());
  other_open_ = false;
  ASSERT_TRUE(world_->turn_while([&] { return !sent; }));
  EXPECT_TRUE(sent == ECONNRESET || sent == EPIPE) << *sent;
}

// A reader in one task, whoever closes in another: the reader must go on before the stream goes.
TEST_P(StreamTest, AReaderIsToldBeforeTheCloserGoesOn) {
  const auto sockets = world_->pair();
  std::optional<Stream> brief(std::in_place, ring_, sockets.first);
  Received received;
  group_.spawn(receive_all(*brief, kNever, received));
  ring_.run(brief->close());
  EXPECT_EQ(received.error, ECANCELED);
  brief.reset();
  ring_.close(sockets.second);
}

TEST_P(StreamTest, LingeringLetsThePeerReadAnAnswerThatItDidNotWaitFor) {
  const std::string request = pattern(300'000);
  std::optional<int> request_sent;
  std::optional<int> answer_sent;
  Received answer;
  group_.spawn(send(one_, request, SendMode::prompt, kLong, request_sent));
  group_.spawn(send(other_, "413 too much", SendMode::prompt, kLong, answer_sent));
  ASSERT_TRUE(world_->turn_while([&] { return !answer_sent; }));
  other_open_ = false;
  group_.spawn(other_.linger_and_close(kLong));
  group_.spawn(receive_all(one_, kNever, answer));
  ASSERT_TRUE(world_->turn_while([&] { return !answer.error || !request_sent; }));
  EXPECT_EQ(answer.bytes, "413 too much");
  EXPECT_EQ(answer.error, 0);
  EXPECT_EQ(request_sent, 0);
  ring_.run(one_.close());
  one_open_ = false;
  ASSERT_TRUE(world_->turn_while([&] { return group_.running() > 0; }));
}

// A flood during the patience must not fill the memory.
TEST_P(StreamTest, LingeringDiscardsWhatArrives) {
  const std::string flood = pattern(16'000'000);
  std::optional<int> sent;
  other_open_ = false;
  group_.spawn(other_.linger_and_close(kLong));
  group_.spawn(send(one_, flood, SendMode::prompt, kLong, sent));
  size_t held_max = 0;
  ASSERT_TRUE(world_->turn_while([&] {
    held_max = std::max(held_max, Buffer::bytes_held_by_thread());
    return !sent;
  }));
  EXPECT_EQ(sent, 0);
  EXPECT_LT(held_max, 4 * kOnItsWayMax);
  ring_.run(one_.close());
  one_open_ = false;
  ASSERT_TRUE(world_->turn_while([&] { return group_.running() > 0; }));
}

TEST_P(StreamTest, ClosingWaitsForASendThatNobodyAwaits) {
  const std::string bytes = pattern(16'000'000);
  const std::array<std::string_view, 1> parts{bytes};
  other_.stop();
  one_.start_send(parts, SendMode::prompt, kLong);
  pass(kShort);
  EXPECT_TRUE(one_.sending());
  ring_.run(one_.close());
  one_open_ = false;
  EXPECT_FALSE(one_.sending());
}

TEST_P(StreamTest, LingeringHasAnEnd) {
  const Instant start = ring_.now();
  ring_.run(other_.linger_and_close(kShort));
  other_open_ = false;
  EXPECT_GE(ring_.now(), later(start, kShort));
}

INSTANTIATE_TEST_SUITE_P(, StreamTest, testing::Values(RingKind::simulated, RingKind::kernel),
                         test::kRingName);

}  // namespace
}  // namespace fnkit
