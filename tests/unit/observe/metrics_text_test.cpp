#include "fnkit/observe/metrics_text.hpp"

#include <gtest/gtest.h>

namespace fnkit {
namespace {

using observe::MetricsText;

TEST(MetricsTextTest, ACounterWithLabelsThatNeedEscaping) {
  MetricsText text;
  text.begin("fnkit_things_total", "Things.", MetricsText::Type::counter);
  text.add({{"name", "a\"b\\c\nd"}}, 3);
  text.begin("fnkit_nothing", "A family without members is left out.", MetricsText::Type::gauge);
  text.gauge("fnkit_age_seconds", "How old.", 1.5);
  EXPECT_EQ(text.text(),
            "# HELP fnkit_things_total Things.\n"
            "# TYPE fnkit_things_total counter\n"
            "fnkit_things_total{name=\"a\\\"b\\\\c\\nd\"} 3\n"
            "# HELP fnkit_age_seconds How old.\n"
            "# TYPE fnkit_age_seconds gauge\n"
            "fnkit_age_seconds 1.5\n");
}

TEST(MetricsTextTest, LatencyIsInSecondsAndCumulative) {
  observe::Histogram histogram;
  histogram.add(std::chrono::microseconds(100));  // a bound belongs to its bucket
  histogram.add(std::chrono::microseconds(101));
  histogram.add(std::chrono::seconds(20));  // above the last bound that is shown
  observe::HistogramSum sum;
  sum.add(histogram);
  MetricsText text;
  text.begin("fnkit_duration_seconds", "Time.", MetricsText::Type::histogram);
  text.add({}, sum);
  const std::string found = text.text();
  for (const char* line :
       {"fnkit_duration_seconds_bucket{le=\"0.0001\"} 1\n",
        "fnkit_duration_seconds_bucket{le=\"0.00025\"} 2\n",
        "fnkit_duration_seconds_bucket{le=\"10\"} 2\n",
        "fnkit_duration_seconds_bucket{le=\"+Inf\"} 3\n", "fnkit_duration_seconds_count 3\n"}) {
    EXPECT_NE(found.find(line), std::string::npos) << line << found;
  }
}

}  // namespace
}  // namespace fnkit
