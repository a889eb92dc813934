#include "fnkit/observe/histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "fnkit/base/random.hpp"

namespace fnkit {
namespace {

using observe::kLatencyBounds;
using observe::latency_bucket;

size_t bucket_by_search(int64_t nanoseconds) {
  const auto at = std::lower_bound(kLatencyBounds.begin(), kLatencyBounds.end(), nanoseconds);
  return static_cast<size_t>(at - kLatencyBounds.begin());
}

TEST(HistogramTest, TheBoundsAreTenADecade) {
  EXPECT_EQ(kLatencyBounds.front(), 10'000);
  EXPECT_EQ(kLatencyBounds[9], 75'000);
  EXPECT_EQ(kLatencyBounds[10], 100'000);
  EXPECT_EQ(kLatencyBounds.back(), 100'000'000'000);
  EXPECT_TRUE(std::is_sorted(kLatencyBounds.begin(), kLatencyBounds.end()));
}

TEST(HistogramTest, ABoundBelongsToItsBucketAndWhatIsAboveToTheNext) {
  for (size_t i = 0; i < kLatencyBounds.size(); ++i) {
    EXPECT_EQ(latency_bucket(kLatencyBounds[i]), i);
    EXPECT_EQ(latency_bucket(kLatencyBounds[i] + 1), i + 1);
  }
  EXPECT_EQ(latency_bucket(0), 0U);
  EXPECT_EQ(latency_bucket(-5), 0U);
  EXPECT_EQ(latency_bucket(INT64_MAX), kLatencyBounds.size());
}

TEST(HistogramTest, EveryTimeFallsWhereASearchFindsIt) {
  Random random(1);
  for (int i = 0; i < 100'000; ++i) {
    const auto nanoseconds = static_cast<int64_t>(random.next() >> (1 + random.below(60)));
    ASSERT_EQ(latency_bucket(nanoseconds), bucket_by_search(nanoseconds)) << nanoseconds;
  }
}

TEST(HistogramTest, SeveralAddUp) {
  observe::Histogram one;
  observe::Histogram other;
  one.add(std::chrono::milliseconds(3));
  one.add(std::chrono::seconds(200));
  other.add(std::chrono::milliseconds(3));
  observe::HistogramSum sum;
  sum.add(one);
  sum.add(other);
  EXPECT_EQ(sum.count(), 3U);
  EXPECT_EQ(sum.buckets[latency_bucket(3'000'000)], 2U);
  EXPECT_EQ(sum.buckets.back(), 1U);
  EXPECT_EQ(sum.sum_nanoseconds, 200'006'000'000U);
}

}  // namespace
}  // namespace fnkit
