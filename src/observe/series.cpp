#include "fnkit/observe/series.hpp"

namespace fnkit::observe {

std::string_view name_of(Cause cause) {
  static constexpr std::array<std::string_view, kCauses> kNames = {
      "none", "connect", "timeout", "reset", "protocol", "status", "shed", "cancelled"};
  return kNames[static_cast<size_t>(cause)];
}

std::string_view name_of(Limit limit) {
  static constexpr std::array<std::string_view, kLimits> kNames = {
      "body-max",         "connect-timeout", "connections-max",  "head-max",     "head-timeout",
      "body-timeout",     "held-max",        "pipeline-timeout", "requests-max", "step-timeout",
      "step-waiting-max", "target-max",      "write-timeout"};
  return kNames[static_cast<size_t>(limit)];
}

}  // namespace fnkit::observe
