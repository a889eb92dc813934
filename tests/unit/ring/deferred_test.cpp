// What a turn of the loop does when: Ring::defer, defer_to_departure, departed, observed_since.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>

#include "fnkit/coro/event.hpp"
#include "fnkit/coro/task_group.hpp"
#include "support/world.hpp"

namespace fnkit {
namespace {

using ring::Deferred;
using ring::Operation;
using ring::Ring;
using ring::SendMode;

// A loop of which every step is written down.
class StepRing final : public Ring {
 public:
  StepRing() : Ring(Instant{std::chrono::hours(1)}) {}

  Result<int> open_socket(int) override { return 0; }
  ring::Unread unread(int) override { return ring::Unread::nothing; }
  void shut_down_sending(int) override {}
  void close(int) override {}

  void note(std::string_view what) {
    steps_ += steps_.empty() ? "" : " ";
    steps_ += what;
  }
  std::string turned() {
    steps_.clear();
    turn();
    return steps_;
  }
  // The clock: when the loop goes to wait, and when it is back.
  Instant clock{std::chrono::hours(1)};
  Duration waits = Duration::zero();
  std::function<void()> completes;  // what the completions of a turn do

 private:
  void start(Operation&) override {}
  void stop(Operation&) override {}
  void wait(Instant) override {
    note("wait");
    clock += waits;
  }
  Instant read_clock() override { return clock; }
  void reap() override {
    note("reap");
    if (completes) completes();
  }

  std::string steps_;
};

// Notes its name when it runs; may ask for another then.
struct Noted {
  Noted(StepRing& in, std::string what) : ring(in), name(std::move(what)) {}
  static void run(void* context) {
    auto& self = *static_cast<Noted*>(context);
    self.ring.note(self.name);
    if (self.then) self.then();
  }
  StepRing& ring;
  std::string name;
  std::function<void()> then;
  Deferred deferred{&run, this};
};

coro::Task<void> go_on(StepRing& ring, coro::Event& event, std::function<void()> then) {
  co_await event.wait();
  ring.note("coroutine");
  then();
}

class DeferredTest : public testing::Test {
 protected:
  StepRing ring_;
  Noted soon_{ring_, "soon"};
  Noted departure_{ring_, "departure"};
};

TEST_F(DeferredTest, AskedByCompletionsItRunsOnceAfterThemAndBeforeCoroutines) {
  coro::Event event;
  coro::TaskGroup tasks;
  tasks.spawn(go_on(ring_, event, [] {}));
  ring_.completes = [&] {
    ring_.defer(soon_.deferred);
    event.set();
    ring_.defer(soon_.deferred);
  };
  EXPECT_EQ(ring_.turned(), "wait reap soon coroutine");
  ring_.completes = nullptr;
  EXPECT_EQ(ring_.turned(), "wait reap") << "once is enough";
}

TEST_F(DeferredTest, AskedByACoroutineItRunsBeforeTheLoopWaitsAgain) {
  coro::Event event;
  coro::TaskGroup tasks;
  tasks.spawn(go_on(ring_, event, [&] {
    ring_.defer(soon_.deferred);
    ring_.defer(soon_.deferred);
  }));
  ring_.completes = [&] { event.set(); };
  EXPECT_EQ(ring_.turned(), "wait reap coroutine");
  ring_.completes = nullptr;
  EXPECT_EQ(ring_.turned(), "soon wait reap");
}

TEST_F(DeferredTest, AskedByATimerItRunsBeforeTheLoopWaitsAgain) {
  Noted timed(ring_, "timer");
  timed.then = [&] { ring_.defer(soon_.deferred); };
  ring::Timer timer(&Noted::run, &timed);
  ring_.timers().arm(timer, ring_.now());
  ring_.waits = std::chrono::milliseconds(10);
  EXPECT_EQ(ring_.turned(), "wait reap timer");
  EXPECT_EQ(ring_.turned(), "soon wait reap");
}

TEST_F(DeferredTest, AskedOutsideATurnItRunsInTheNext) {
  ring_.defer(soon_.deferred);
  ring_.defer_to_departure(departure_.deferred);
  EXPECT_EQ(ring_.turned(), "soon departure wait reap");
  EXPECT_EQ(ring_.turned(), "wait reap");
}

TEST_F(DeferredTest, WhatIsAskedMeanwhileRunsInTheSameRound) {
  Noted second(ring_, "second");
  soon_.then = [&] {
    ring_.defer(second.deferred);
    ring_.defer_to_departure(departure_.deferred);
  };
  ring_.defer(soon_.deferred);
  EXPECT_EQ(ring_.turned(), "soon second departure wait reap");
  ring_.completes = [&] { ring_.defer(soon_.deferred); };
  EXPECT_EQ(ring_.turned(), "wait reap soon second");
  ring_.completes = nullptr;
  EXPECT_EQ(ring_.turned(), "departure wait reap");
}

TEST_F(DeferredTest, ItMayBeTakenBackAndDestroyed) {
  ring_.defer(soon_.deferred);
  ring_.defer_to_departure(departure_.deferred);
  soon_.deferred.unlink();
  {
    Noted gone(ring_, "gone");
    ring_.defer(gone.deferred);
    ring_.defer_to_departure(gone.deferred);  // it is asked for already: only soon
  }
  EXPECT_EQ(ring_.turned(), "departure wait reap");
}

TEST_F(DeferredTest, OneMayDestroyAnotherThatWaitsForItsTurn) {
  auto other = std::make_unique<Noted>(ring_, "other");
  soon_.then = [&] { other.reset(); };
  ring_.defer(soon_.deferred);
  ring_.defer(other->deferred);
  EXPECT_EQ(ring_.turned(), "soon wait reap");
}

TEST_F(DeferredTest, AtDepartureItIsTheTimeOfDeparture) {
  Instant departed{};
  departure_.then = [&] { departed = ring_.departed(); };
  ring_.clock += std::chrono::milliseconds(7);
  ring_.defer_to_departure(departure_.deferred);
  ring_.turned();
  EXPECT_EQ(departed, ring_.clock);
  EXPECT_EQ(ring_.departed(), departed);
  EXPECT_EQ(ring_.now(), departed);
}

// A turn: the loop is busy from now() to departed(), then waits.
TEST_F(DeferredTest, WhatTheLoopWasBusyWithIsNotPartOfWhatItObserved) {
  using std::chrono::milliseconds;
  ring_.waits = milliseconds(5);
  ring_.turned();
  const Instant sent = ring_.departed();
  EXPECT_EQ(ring_.observed_since(sent), milliseconds(5)) << "all of it was waiting";
  ring_.clock += milliseconds(40);  // busy in this turn
  ring_.turned();
  EXPECT_EQ(ring_.observed_since(sent), milliseconds(10));
  // Begun within the busy time: what came after it counts as busy.
  const Instant begun = ring_.now() + milliseconds(15);
  ring_.clock += milliseconds(20);
  ring_.turned();
  EXPECT_EQ(ring_.observed_since(begun), milliseconds(5));
}

TEST_F(DeferredTest, OnlyTheLastTurnsBusyTimeIsLeftOut) {
  using std::chrono::milliseconds;
  ring_.waits = milliseconds(5);
  ring_.turned();
  const Instant sent = ring_.departed();
  ring_.clock += milliseconds(40);
  ring_.turned();
  ring_.clock += milliseconds(3);
  ring_.turned();
  // 5 waited, 40 busy in a turn that could have seen it but did not, 5 waited, (3 busy,) 5 waited.
  EXPECT_EQ(ring_.observed_since(sent), milliseconds(55));
  EXPECT_EQ(ring_.observed_since(ring_.now()), Duration::zero());
}

// The same on the kernel: both ends of what the clients do with it.
class DeferredOnRingsTest : public testing::TestWithParam<test::RingKind> {};

TEST_P(DeferredOnRingsTest, WhatIsSentAtDepartureLeavesInThatTurn) {
  struct Sender {
    Ring& ring;
    int fd;
    Operation operation;
    int times = 0;
    static void send(void* sender) {
      auto& self = *static_cast<Sender*>(sender);
      ++self.times;
      static constexpr std::array<std::string_view, 1> kParts{"gathered"};
      self.operation.send(self.fd, kParts, SendMode::silent, std::chrono::seconds(1));
      self.ring.submit(self.operation);
    }
  };
  const auto world = test::World::make(GetParam(), 1, test::FaultPlan::quick());
  const auto [near, far] = world->pair();
  test::Collector reader(world->ring());
  reader.start(far);
  Sender sender{world->ring(), near, {}};
  Deferred deferred(&Sender::send, &sender);
  world->ring().defer_to_departure(deferred);
  world->ring().defer_to_departure(deferred);
  world->ring().turn();
  EXPECT_EQ(sender.times, 1);
  ASSERT_TRUE(world->turn_while([&] { return reader.bytes.size() < 8; }));
  EXPECT_EQ(reader.bytes, "gathered");
  EXPECT_FALSE(sender.operation.submitted) << "a silent send ends with the turn that sees more";
  reader.cancel();
  ASSERT_TRUE(world->turn_while([&] { return !reader.ended(); }));
  world->ring().close(near);
  world->ring().close(far);
}

INSTANTIATE_TEST_SUITE_P(, DeferredOnRingsTest,
                         testing::Values(test::RingKind::simulated, test::RingKind::kernel),
                         test::kRingName);

}  // namespace
}  // namespace fnkit
