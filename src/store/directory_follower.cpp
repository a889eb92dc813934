#include "store/directory_follower.hpp"

#include <algorithm>
#include <cerrno>

#include "fnkit/base/log.hpp"

namespace fnkit::store {
namespace {

constexpr Duration kWaitMin = std::chrono::milliseconds(200);
constexpr Duration kWaitMax = std::chrono::seconds(1);

}  // namespace

DirectoryFollower::DirectoryFollower(Location location, ring::Ring& ring, SnapshotSink& sink,
                                     const FollowerOptions& options)
    : ring_(ring),
      sink_(sink),
      location_(std::move(location)),
      options_(options),
      book_(sink, status_),
      wait_(kWaitMin),
      bell_(ring) {}

coro::Task<void> DirectoryFollower::run() {
  while (!scope_.cancelled()) {
    const Error why = co_await follow();
    if (scope_.cancelled()) break;
    lost(why);
    co_await bell_.wait(later(ring_.now(), wait_));
    wait_ = std::min(2 * wait_, kWaitMax);
  }
  status_.connected = false;
}

void DirectoryFollower::stop() {
  scope_.cancel();
  bell_.ring();
}

// As long as this directory is at its path: another one there, by a rename or through a link, needs
// a watch of its own.
coro::Task<Error> DirectoryFollower::follow() {
  DirectoryWatch watch(ring_);
  Result<void> watched = watch.open(location_.path);
  if (!watched) co_return watched.error();
  Result<DirectoryIdentity> identity = identify_directory(location_.path);
  if (!identity) co_return identity.error();
  Instant next_load = ring_.now();
  while (!scope_.cancelled()) {
    if (ring_.now() >= next_load) {
      Result<DirectoryIdentity> now_there = identify_directory(location_.path);
      if (!now_there) co_return now_there.error();
      if (*now_there != *identity) co_return Error{"the directory was replaced"};
      Result<void> loaded = load();
      if (!loaded) co_return loaded.error();
      connected();
      next_load = later(ring_.now(), options_.refresh_interval);
    }
    DirectoryNews news = co_await watch.wait(next_load, scope_);
    if (news.gone) co_return Error{"the directory was removed or renamed"};
    if (news.everything) next_load = ring_.now();
    for (const std::string& name : news.names) read(name);
    book_.publish();
  }
  co_return Error::from_errno(ECANCELED, "follow");
}

Result<void> DirectoryFollower::load() {
  Result<std::vector<std::string>> names = list_names(location_.path);
  if (!names) return names.error();
  for (size_t part = 0; part < Snapshot::kParts; ++part) {
    for (const std::string& name : book_.names(part)) read(name);  // also those that are gone
  }
  for (const std::string& name : *names) {
    if (!book_.knows(name)) read(name);
  }
  book_.publish();
  status_.compared_at = ring_.now();
  return {};
}

void DirectoryFollower::read(const std::string& name) {
  book_.read(name, read_file(path_of(location_.path, name)));
}

void DirectoryFollower::connected() {
  wait_ = kWaitMin;
  status_.trouble.clear();
  status_.changes_by = "inotify";
  const bool was_connected = std::exchange(status_.connected, true);
  sink_.tell(status_);
  if (was_connected) return;
  log_event(LogLevel::info, "store", "store connected",
            {{"url", location_.to_text()}, {"changes_by", status_.changes_by}});
}

void DirectoryFollower::lost(const Error& why) {
  status_.connected = false;
  if (status_.trouble == why.message) return;
  status_.trouble = why.message;
  sink_.tell(status_);
  log_event(LogLevel::warning, "store", "store unreachable",
            {{"url", location_.to_text()}, {"detail", why.message}});
}

}  // namespace fnkit::store
