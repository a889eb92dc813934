#include "store/valkey_follower.hpp"

#include <algorithm>

#include "fnkit/base/log.hpp"

namespace fnkit::store {
namespace {

// The longest is also how late its return is seen.
constexpr Duration kWaitMin = std::chrono::milliseconds(50);
constexpr Duration kWaitMax = std::chrono::milliseconds(800);

}  // namespace

ValkeyFollower::ValkeyFollower(Location location, ring::Ring& ring, net::Resolver& resolver,
                               SnapshotSink& sink, const FollowerOptions& options)
    : ring_(ring),
      sink_(sink),
      servers_(ring, resolver, std::move(location)),
      options_(options),
      book_(sink, status_),
      random_(options.random_seed),
      wait_(kWaitMin),
      bell_(ring) {}

coro::Task<void> ValkeyFollower::run() {
  while (!scope_.cancelled()) {
    {
      ValkeySession session(ring_, servers_, book_, options_.refresh_interval, *this);
      const Error why = co_await session.run(scope_);
      if (scope_.cancelled()) break;
      session_ended(why);
    }
    co_await bell_.wait(later(ring_.now(), next_wait()));
  }
  status_.connected = false;
  co_await servers_.close();
}

void ValkeyFollower::stop() {
  scope_.cancel();
  bell_.ring();
}

void ValkeyFollower::compared(const std::string& changes_by) {
  wait_ = kWaitMin;
  status_.compared_at = ring_.now();
  status_.trouble.clear();
  const bool other_way = std::exchange(status_.changes_by, changes_by) != changes_by;
  const std::string url = servers_.location().to_text();
  if (!std::exchange(status_.connected, true) || other_way) {
    log_event(LogLevel::info, "store", "store connected",
              {{"url", url}, {"changes_by", changes_by}});
  }
  sink_.tell(status_);
  if (!other_way || changes_by != "polling") return;
  const auto interval =
      std::chrono::duration_cast<std::chrono::milliseconds>(options_.refresh_interval);
  log_event(LogLevel::warning, "store", "changes are found by polling only",
            {{"url", url},
             {"detail", "the server allows neither keyspace notifications nor client tracking"},
             {"interval_ms", std::to_string(interval.count())}});
}

void ValkeyFollower::session_ended(const Error& why) {
  status_.connected = false;
  if (status_.trouble == why.message) return;
  status_.trouble = why.message;
  sink_.tell(status_);
  log_event(LogLevel::warning, "store", "store unreachable",
            {{"url", servers_.location().to_text()}, {"detail", why.message}});
}

// Doubling, of which the second half is left to chance: instances that lost the same server do not
// come back to it in step.
Duration ValkeyFollower::next_wait() {
  const Duration wait = wait_;
  wait_ = std::min(2 * wait, kWaitMax);
  const auto half = static_cast<uint64_t>(wait.count() / 2);
  return Duration(static_cast<int64_t>(half + random_.below(half)));
}

}  // namespace fnkit::store
