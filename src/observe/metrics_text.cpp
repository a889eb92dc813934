#include "fnkit/observe/metrics_text.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <limits>

namespace fnkit::observe {
namespace {

// In microseconds; each is one of kLatencyBounds.
constexpr std::array<int64_t, 19> kShownBounds = {
    100,       250,       500,       1'000,     2'500,     5'000,   10'000,
    25'000,    50'000,    75'000,    100'000,   250'000,   500'000, 750'000,
    1'000'000, 2'500'000, 5'000'000, 7'500'000, 10'000'000};

constexpr bool all_shown_are_counted() {
  for (const int64_t shown : kShownBounds) {
    bool counted = false;
    for (const int64_t bound : kLatencyBounds) counted = counted || bound == shown * 1000;
    if (!counted) return false;
  }
  return true;
}
static_assert(all_shown_are_counted());

}  // namespace

struct MetricsText::Families {
  std::vector<prometheus::MetricFamily> all;

  prometheus::ClientMetric& add(const Labels& labels) {
    prometheus::ClientMetric& metric = all.back().metric.emplace_back();
    for (const auto& [name, value] : labels) metric.label.push_back({name, value});
    return metric;
  }
};

MetricsText::MetricsText() : families_(new Families) {}
MetricsText::~MetricsText() = default;

void MetricsText::begin(std::string name, std::string help, Type type) {
  prometheus::MetricFamily& family = families_->all.emplace_back();
  family.name = std::move(name);
  family.help = std::move(help);
  switch (type) {
    case Type::counter: family.type = prometheus::MetricType::Counter; break;
    case Type::gauge: family.type = prometheus::MetricType::Gauge; break;
    case Type::histogram: family.type = prometheus::MetricType::Histogram; break;
  }
}

void MetricsText::add(const Labels& labels, double value) {
  prometheus::ClientMetric& metric = families_->add(labels);
  metric.counter.value = value;
  metric.gauge.value = value;
}

void MetricsText::add(const Labels& labels, const HistogramSum& latency) {
  std::vector<double> bounds;
  std::vector<uint64_t> counts;
  size_t bucket = 0;
  for (const int64_t shown : kShownBounds) {
    bounds.push_back(static_cast<double>(shown) / 1e6);
    uint64_t count = 0;
    while (kLatencyBounds[bucket] <= shown * 1000) count += latency.buckets[bucket++];
    counts.push_back(count);
  }
  uint64_t above = 0;
  while (bucket < latency.buckets.size()) above += latency.buckets[bucket++];
  counts.push_back(above);
  add(labels, bounds, counts, static_cast<double>(latency.sum_nanoseconds) / 1e9);
}

void MetricsText::add(const Labels& labels, const std::vector<double>& bounds,
                      const std::vector<uint64_t>& counts, double sum) {
  auto& histogram = families_->add(labels).histogram;
  uint64_t cumulative = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    cumulative += counts[i];
    const bool last = i == bounds.size();
    histogram.bucket.push_back(
        {cumulative, last ? std::numeric_limits<double>::infinity() : bounds[i]});
  }
  histogram.sample_count = cumulative;
  histogram.sample_sum = sum;
}

void MetricsText::counter(std::string name, std::string help, double value) {
  begin(std::move(name), std::move(help), Type::counter);
  add(Labels{}, value);
}

void MetricsText::gauge(std::string name, std::string help, double value) {
  begin(std::move(name), std::move(help), Type::gauge);
  add(Labels{}, value);
}

std::string MetricsText::text() const {
  std::vector<prometheus::MetricFamily> filled;
  std::copy_if(families_->all.begin(), families_->all.end(), std::back_inserter(filled),
               [](const auto& family) { return !family.metric.empty(); });
  return prometheus::TextSerializer().Serialize(filled);
}

}  // namespace fnkit::observe
