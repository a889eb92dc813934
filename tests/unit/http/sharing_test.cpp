// Sharing by itself: trust, cost, pauses.
#include "http/sharing.hpp"

#include <gtest/gtest.h>

namespace fnkit {
namespace {

using http::Sharing;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kWait = microseconds(500);
constexpr unsigned kTrust = 100;

class SharingTest : public testing::Test {
 protected:
  void answer(unsigned count, Duration service) {
    for (unsigned i = 0; i < count; ++i) sharing_.answered(service, now_);
  }
  // One that took so long, while others were answered all the time.
  void surprise(Duration service) {
    const Instant answered_at = now_ + service;
    for (; now_ < answered_at; now_ += milliseconds(1)) answer(1, microseconds(50));
    answer(1, service);
  }
  // How long it is not allowed from now on, to the millisecond; nothing where it is for ever.
  Duration paused_for() {
    Duration pause = Duration::zero();
    while (!sharing_.allowed(now_ + pause) && pause < minutes(10)) pause += milliseconds(1);
    return pause;
  }

  Sharing sharing_{kWait, kTrust};
  Instant now_{std::chrono::hours(1000)};
};

TEST_F(SharingTest, TrustTakesGoodAnswersInARow) {
  answer(kTrust - 1, microseconds(50));
  EXPECT_FALSE(sharing_.allowed(now_));
  answer(1, microseconds(50));
  EXPECT_TRUE(sharing_.allowed(now_));
  sharing_.broke();
  answer(kTrust - 1, microseconds(50));
  EXPECT_FALSE(sharing_.allowed(now_));
  answer(1, microseconds(50));
  EXPECT_TRUE(sharing_.allowed(now_));
}

TEST_F(SharingTest, AsManyAsCostNoMoreThanTheWait) {
  answer(500, microseconds(100));
  EXPECT_TRUE(sharing_.worth_it(1, Duration::zero()));
  EXPECT_TRUE(sharing_.worth_it(5, Duration::zero()));
  EXPECT_FALSE(sharing_.worth_it(6, Duration::zero()));
  answer(500, microseconds(501));
  EXPECT_FALSE(sharing_.worth_it(1, Duration::zero()));
  answer(500, microseconds(10));
  EXPECT_TRUE(sharing_.worth_it(7, Duration::zero()));
  EXPECT_TRUE(sharing_.worth_it(1, kWait));
  EXPECT_FALSE(sharing_.worth_it(1, kWait + Duration(1)));
}

TEST_F(SharingTest, TheUsualTimeFollowsSlowly) {
  answer(500, microseconds(10));
  answer(1, milliseconds(1));
  EXPECT_TRUE(sharing_.worth_it(1, Duration::zero())) << "one answer changed everything";
  answer(30, milliseconds(1));
  EXPECT_FALSE(sharing_.worth_it(1, Duration::zero())) << "thirty changed nothing";
}

TEST_F(SharingTest, ASurpriseIsTwentyTimesTheWait) {
  answer(kTrust, microseconds(50));
  surprise(20 * kWait);
  EXPECT_EQ(paused_for(), Duration::zero());
  surprise(20 * kWait + Duration(1));
  EXPECT_EQ(paused_for(), seconds(1));
}

TEST_F(SharingTest, WhereAllStoodStillNobodyLostByIt) {
  answer(kTrust, microseconds(50));
  surprise(milliseconds(5));
  now_ += milliseconds(200);
  for (int i = 0; i < 8; ++i) {  // they were all under way when it stopped
    answer(1, milliseconds(200));
    now_ += microseconds(20);
  }
  EXPECT_EQ(paused_for(), Duration::zero());
  surprise(milliseconds(200));
  EXPECT_EQ(paused_for(), seconds(1));
}

TEST_F(SharingTest, EachPauseIsTwiceAsLongUpToFiveMinutes) {
  answer(kTrust, microseconds(50));
  for (const int64_t expected : {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}) {
    surprise(milliseconds(20));
    answer(1, milliseconds(20));  // while it lasts, a second surprise makes it no longer
    EXPECT_EQ(paused_for(), seconds(expected));
    now_ += seconds(expected);
  }
}

TEST_F(SharingTest, ABrokenSharedConnectionPausesAndCostsTrust) {
  answer(kTrust, microseconds(50));
  sharing_.broke_shared(now_);
  EXPECT_FALSE(sharing_.allowed(now_ + std::chrono::hours(1)));
  answer(kTrust, microseconds(50));
  EXPECT_EQ(paused_for(), seconds(1));
  now_ += seconds(1);
  sharing_.broke_shared(now_);
  answer(kTrust, microseconds(50));
  EXPECT_EQ(paused_for(), seconds(2));
}

TEST_F(SharingTest, AfterALongTimeWithoutReasonPausesBeginAnew) {
  answer(kTrust, microseconds(50));
  for (const int64_t expected : {1, 2, 4}) {
    surprise(milliseconds(20));
    now_ += seconds(expected);
  }
  now_ += minutes(10) + seconds(1);
  surprise(milliseconds(20));
  EXPECT_EQ(paused_for(), seconds(1));
}

}  // namespace
}  // namespace fnkit
