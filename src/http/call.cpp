#include "fnkit/http/call.hpp"

#include <algorithm>

#include "fnkit/base/text.hpp"

namespace fnkit::http {

// "timeout=N" says that the peer will not close earlier; a second less, because both clocks begin
// at different times.
Duration ClientOptions::idle_time(std::string_view keep_alive) const {
  constexpr uint64_t kHour = 3600;
  while (!keep_alive.empty()) {
    const std::string_view part = take_member(keep_alive);
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos ||
        !equals_ignoring_case(trim(part.substr(0, equals)), "timeout")) {
      continue;
    }
    const auto seconds = parse_decimal(trim(part.substr(equals + 1)));
    if (!seconds) continue;
    if (*seconds <= 1) return Duration::zero();
    return std::min<Duration>(std::chrono::seconds(std::min(*seconds, kHour) - 1),
                              idle_timeout_max);
  }
  return idle_timeout;
}

}  // namespace fnkit::http
