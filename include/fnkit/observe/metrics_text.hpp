// Metrics as Prometheus reads them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fnkit/observe/histogram.hpp"

namespace fnkit::observe {

// Put together family by family: begin one, then add its members. Names and units are the caller's
// to choose (https://prometheus.io/docs/practices/naming/). One thread.
class MetricsText {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;
  enum class Type { counter, gauge, histogram };

  MetricsText();
  ~MetricsText();

  void begin(std::string name, std::string help, Type type);
  void add(const Labels& labels, double value);
  // In seconds, in the buckets that OpenTelemetry advises for HTTP, and five below 5 ms, where most
  // answers are.
  void add(const Labels& labels, const HistogramSum& latency);
  // Any other histogram: `counts` has one more member than `bounds`, for what is above the last.
  void add(const Labels& labels, const std::vector<double>& bounds,
           const std::vector<uint64_t>& counts, double sum);

  // A family with one member.
  void counter(std::string name, std::string help, double value);
  void gauge(std::string name, std::string help, double value);

  // The text exposition format, version 0.0.4. Families without members are left out.
  std::string text() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace fnkit::observe
