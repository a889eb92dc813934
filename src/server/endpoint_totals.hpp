// What all cores have to do with each function's endpoint.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fnkit/server/worker.hpp"

namespace fnkit::server {

struct EndpointTotal {
  uint64_t calls = 0, connected = 0, shared = 0, repeated = 0;  // so far
  uint64_t connecting = 0, open = 0, busy = 0;                  // connections now
  std::array<uint64_t, http::EndpointCounts::kDepths.size() + 1> depths{};
  uint64_t depth_sum = 0;

  // Counters are read one by one while their cores go on counting.
  uint64_t idle() const { return open > busy ? open - busy : 0; }
};

// By Endpoint::to_text().
std::map<std::string, EndpointTotal> endpoint_totals(
    const std::vector<std::unique_ptr<Worker>>& workers);

}  // namespace fnkit::server
