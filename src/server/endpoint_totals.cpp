#include "server/endpoint_totals.hpp"

namespace fnkit::server {

std::map<std::string, EndpointTotal> endpoint_totals(
    const std::vector<std::unique_ptr<Worker>>& workers) {
  std::map<std::string, EndpointTotal> totals;
  for (const auto& worker : workers) {
    worker->client_counts().each([&totals](const http::EndpointCounts& counts) {
      EndpointTotal& total = totals[counts.name];
      total.calls += counts.answered.get() + counts.failed.get() + counts.cancelled.get();
      total.connected += counts.connected.get();
      total.shared += counts.shared.get();
      total.repeated += counts.repeated.get();
      total.connecting += counts.connecting.get();
      total.open += counts.open.get();
      total.busy += counts.busy.get();
      for (size_t i = 0; i < total.depths.size(); ++i) total.depths[i] += counts.depths[i].get();
      total.depth_sum += counts.depth_sum.get();
    });
  }
  return totals;
}

}  // namespace fnkit::server
