#include "server/calling.hpp"

#include <algorithm>
#include <array>

#include "fnkit/base/text.hpp"

namespace fnkit::server {
namespace {

// "30 s", "1500 ms": a limit as messages name it.
std::string in_words(Duration duration) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
  return ms % 1000 == 0 ? std::to_string(ms / 1000) + " s" : std::to_string(ms) + " ms";
}

}  // namespace

size_t orchestrators_before(const http::Request& request) {
  size_t count = 0;
  for (const http::HeaderField& field : request.headers) {
    if (!equals_ignoring_case(field.name, "via")) continue;
    for (std::string_view members = field.value; !members.empty();) {
      count += take_member(members) == kVia;
    }
  }
  return count;
}

bool is_idempotent(std::string_view method) {
  static constexpr std::array<std::string_view, 6> kIdempotent = {"GET",     "HEAD",  "PUT",
                                                                  "OPTIONS", "TRACE", "DELETE"};
  return std::find(kIdempotent.begin(), kIdempotent.end(), method) != kIdempotent.end();
}

std::string tell_limit(Calling& calling, http::CallError::Kind kind, bool step_is_first) {
  using Kind = http::CallError::Kind;
  using observe::Limit;
  const Settings& settings = calling.settings;
  const auto told = [&calling](Limit limit, std::string_view name, Duration duration) {
    calling.series.hit(limit);
    return " (" + std::string(name) + " timeout " + in_words(duration) + ")";
  };
  switch (kind) {
    case Kind::timeout:
      return step_is_first ? told(Limit::step_timeout, "step", settings.step_timeout)
                           : told(Limit::pipeline_timeout, "pipeline", settings.pipeline_timeout);
    case Kind::no_connection:
      return told(Limit::connect_timeout, "connect", settings.functions.connect_timeout);
    case Kind::not_read:
      return told(Limit::write_timeout, "write", settings.functions.write_timeout);
    case Kind::too_many_waiting: calling.series.hit(Limit::step_waiting_max); return {};
    case Kind::too_much_held: calling.series.hit(Limit::held_max); return {};
    case Kind::unreachable:
    case Kind::broken:
    case Kind::protocol:
    case Kind::cancelled: return {};
  }
  return {};
}

}  // namespace fnkit::server
