#include "store/valkey_follower.hpp"

#include <algorithm>

#include "fnkit/base/log.hpp"

namespace fnkit::store {
namespace {

constexpr Duration kWaitMin = std::chrono::milliseconds(50);
constexpr Duration kWaitMax = std::chrono::seconds(2);
// While nothing has been loaded nothing can be served: a little more eager.
constexpr Duration kWaitMaxUnloaded = std::chrono::milliseconds(800);

}  // namespace

ValkeyFollower::ValkeyFollower(Location location, ring::Ring& ring, net::Resolver& resolver,
                               SnapshotSink& sink, const FollowerOptions& options)
    : ring_(ring),
      resolver_(resolver),
      location_(std::move(location)),
      options_(options),
      book_(sink, status_),
      random_(options.random_seed),
      wait_(kWaitMin),
      bell_(ring) {}

coro::Task<void> ValkeyFollower::run() {
  while (!scope_.cancelled()) {
    {
      ValkeySession session(ring_, resolver_, book_, options_.refresh_interval, *this);
      const Error why = co_await session.run(location_, scope_);
      if (scope_.cancelled()) break;
      session_ended(why);
    }
    co_await bell_.wait(later(ring_.now(), next_wait()));
  }
  status_.connected = false;
}

void ValkeyFollower::stop() {
  scope_.cancel();
  bell_.ring();
}

void ValkeyFollower::session_ready(const std::string& changes_by) {
  wait_ = kWaitMin;
  status_.connected = true;
  status_.trouble.clear();
  const bool news = status_.changes_by != changes_by;
  status_.changes_by = changes_by;
  log_event(LogLevel::info, "store", "store connected",
            {{"url", location_.to_text()}, {"changes_by", changes_by}});
  if (!news || changes_by != "polling") return;
  const auto interval =
      std::chrono::duration_cast<std::chrono::milliseconds>(options_.refresh_interval);
  log_event(LogLevel::warning, "store", "changes are found by polling only",
            {{"url", location_.to_text()},
             {"detail", "the server allows neither keyspace notifications nor client tracking"},
             {"interval_ms", std::to_string(interval.count())}});
}

void ValkeyFollower::session_ended(const Error& why) {
  status_.connected = false;
  if (status_.trouble == why.message) return;
  status_.trouble = why.message;
  log_event(LogLevel::warning, "store", "store unreachable",
            {{"url", location_.to_text()}, {"detail", why.message}});
}

// Doubling, of which the second half is left to chance: instances that lost the same server do not
// come back to it in step.
Duration ValkeyFollower::next_wait() {
  const Duration wait_max = status_.loaded ? kWaitMax : kWaitMaxUnloaded;
  const Duration wait = std::min(wait_, wait_max);
  wait_ = std::min(2 * wait, wait_max);
  const auto half = static_cast<uint64_t>(wait.count() / 2);
  return Duration(static_cast<int64_t>(half + random_.below(half)));
}

}  // namespace fnkit::store
