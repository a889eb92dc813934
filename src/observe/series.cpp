#include "fnkit/observe/series.hpp"

namespace fnkit::observe {

std::string_view name_of(Cause cause) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"none", "connect", "timeout", "reset", "protocol", "status", "shed", "cancelled"});
  static_assert(kNames.size() == kCauses, "each has a name");
  return kNames[static_cast<size_t>(cause)];
}

std::string_view name_of(Limit limit) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"body-max", "connect-timeout", "connections-max", "head-max", "head-timeout", "body-timeout",
       "held-max", "pipeline-timeout", "requests-max", "step-timeout", "step-waiting-max",
       "target-max", "write-timeout"});
  static_assert(kNames.size() == kLimits, "each has a name");
  return kNames[static_cast<size_t>(limit)];
}

}  // namespace fnkit::observe
