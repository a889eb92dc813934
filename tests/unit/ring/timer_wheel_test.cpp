#include "fnkit/ring/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "fnkit/base/random.hpp"

namespace fnkit {
namespace {

using ring::Timer;
using ring::TimerWheel;

constexpr Duration kTick{1 << 20};
constexpr Duration kLatest = 2 * kTick;

// The wheel beside a sorted map that does the same the plain way.
class WheelModel {
 public:
  WheelModel(uint64_t seed, Instant start) : random_(seed), now_(start), wheel_(start) {
    for (size_t i = 0; i < 60; ++i) timers_.emplace_back(*this);
  }

  void run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      One& one = timers_[random_.below(timers_.size())];
      const uint64_t choice = random_.below(10);
      if (choice < 5) {
        arm(one, later(now_, delay()));
      } else if (choice < 7) {
        one.timer.unlink();
        one.armed = false;
      } else {
        advance(random_.chance(50) ? to_next_wakeup() : later(now_, delay()));
      }
    }
  }

  void fire_all() {
    for (int turns = 0; wheel_.next_wakeup() != kNever; ++turns) {
      ASSERT_LT(turns, 100'000) << "the wheel never gets empty";
      advance(to_next_wakeup());
    }
    for (const One& one : timers_) EXPECT_FALSE(one.armed) << "a timer was forgotten";
  }

 private:
  struct One {
    explicit One(WheelModel& owner) : model(owner) {}
    WheelModel& model;
    Timer timer{&fired, this};
    bool armed = false;
  };

  static void fired(void* context) {
    auto& one = *static_cast<One*>(context);
    WheelModel& model = one.model;
    EXPECT_TRUE(one.armed) << "a disarmed timer fired";
    EXPECT_LE(one.timer.deadline, model.now_) << "a timer fired early";
    one.armed = false;
    if (model.random_.chance(20)) model.arm(one, later(model.now_, model.delay()));
    if (model.random_.chance(5)) {  // another one, which may be due in this very round
      One& other = model.timers_[model.random_.below(model.timers_.size())];
      other.timer.unlink();
      other.armed = false;
    }
  }

  void arm(One& one, Instant deadline) {
    wheel_.arm(one.timer, deadline);
    one.armed = true;
  }

  // From nanoseconds to a year, every magnitude alike.
  Duration delay() {
    const uint64_t bits = random_.below(55);
    return Duration(static_cast<int64_t>(random_.below(uint64_t{1} << bits)));
  }

  Instant earliest() const {
    Instant found = kNever;
    for (const One& one : timers_) {
      if (one.armed) found = std::min(found, one.timer.deadline);
    }
    return found;
  }

  Instant to_next_wakeup() {
    const Instant wakeup = wheel_.next_wakeup();
    EXPECT_EQ(wakeup == kNever, earliest() == kNever);
    if (wakeup == kNever) return now_;
    EXPECT_LE(wakeup, later(earliest(), kLatest)) << "it would sleep past a deadline";
    return std::max(wakeup, now_);
  }

  void advance(Instant to) {
    now_ = to;
    wheel_.advance(now_);
    EXPECT_GE(later(earliest(), kLatest), now_) << "a timer is late";
  }

  Random random_;
  Instant now_;
  std::deque<One> timers_;
  TimerWheel wheel_;
};

TEST(TimerWheelTest, DoesWhatASortedMapWouldDo) {
  for (uint64_t seed = 1; seed <= 60 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    WheelModel model(seed, Instant(Duration(static_cast<int64_t>(random.below(1ULL << 58)))));
    model.run(2000);
    model.fire_all();
  }
}

// Each digit of the tick rolls over somewhere; the highest of five does so every 13 days.
TEST(TimerWheelTest, ARolloverOfAnyDigitIsADayLikeAnyOther) {
  for (unsigned digit = 1; digit <= 7 && !HasFailure(); ++digit) {
    for (int64_t before = 0; before <= 3 && !HasFailure(); ++before) {
      SCOPED_TRACE("digit " + std::to_string(digit) + ", ticks before " + std::to_string(before));
      const Instant rollover(Duration(int64_t{1} << (20 + 6 * digit)));
      WheelModel model(digit, rollover - before * kTick);
      model.run(1000);
      model.fire_all();
    }
  }
}

TEST(TimerWheelTest, ATimerMayDestroyOthersThatAreDueWithIt) {
  const Instant start(std::chrono::seconds(5));
  TimerWheel wheel(start);
  struct Group {
    std::deque<Timer> timers;
    int fired = 0;
  } group;
  for (int i = 0; i < 3; ++i) {
    group.timers.emplace_back(
        [](void* context) {
          auto& of = *static_cast<Group*>(context);
          ++of.fired;
          while (of.timers.size() > 1) of.timers.pop_back();
        },
        &group);
    wheel.arm(group.timers.back(), later(start, kTick));
  }
  wheel.advance(later(start, 5 * kTick));
  EXPECT_EQ(group.fired, 1);
}

TEST(TimerWheelTest, ArmingAnewReplacesTheDeadlineAndNeverDisarms) {
  const Instant start(std::chrono::hours(500));
  TimerWheel wheel(start);
  int fired = 0;
  Timer timer([](void* context) { ++*static_cast<int*>(context); }, &fired);
  wheel.arm(timer, later(start, std::chrono::seconds(1)));
  wheel.arm(timer, later(start, std::chrono::seconds(9)));
  wheel.advance(later(start, std::chrono::seconds(8)));
  EXPECT_EQ(fired, 0);
  wheel.advance(later(start, std::chrono::seconds(10)));
  EXPECT_EQ(fired, 1);
  wheel.arm(timer, later(start, std::chrono::seconds(20)));
  wheel.arm(timer, kNever);
  EXPECT_EQ(wheel.next_wakeup(), kNever);
  EXPECT_FALSE(timer.linked());
}

}  // namespace
}  // namespace fnkit
