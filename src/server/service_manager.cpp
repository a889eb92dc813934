#include "server/service_manager.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include "fnkit/base/text.hpp"
#include "fnkit/net/datagram.hpp"

namespace fnkit::server {
namespace {

constexpr Duration kStatusInterval = std::chrono::seconds(2);
constexpr Duration kStartInterval = std::chrono::milliseconds(10);

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : std::string_view();
}

// The time within which signs of life are due; nothing where nobody, or not this process, is asked.
std::optional<Duration> watchdog_time() {
  const auto microseconds = parse_decimal(variable("WATCHDOG_USEC"));
  const std::string_view process = variable("WATCHDOG_PID");
  const bool ours = process.empty() || process == std::to_string(::getpid());
  constexpr uint64_t kMax = uint64_t{3'600'000'000} * 24;
  if (!ours || !microseconds || *microseconds == 0 || *microseconds > kMax) return std::nullopt;
  return std::chrono::microseconds(*microseconds);
}

std::string microseconds_of(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
}

}  // namespace

ServiceManager::ServiceManager(ring::Ring& ring,
                               const std::vector<std::unique_ptr<Worker>>& workers,
                               const store::Follower& follower, const Listeners& listeners)
    : ring_(ring),
      workers_(workers),
      follower_(follower),
      listeners_(listeners),
      interval_(kStatusInterval),
      turns_(workers.size()),
      looked_at_(ring.now()),
      bell_(ring) {
  const std::string_view path = variable("NOTIFY_SOCKET");
  if (!net::is_unix_path(path)) return;
  path_ = path;
  if (const auto time = watchdog_time()) {
    watched_ = true;
    interval_ = std::min(interval_, *time / 2);
  }
}

coro::Task<void> ServiceManager::run() {
  while (!path_.empty() && !stopped_) {
    if (ready_) {
      tell("STATUS=" + status());
    } else if (is_ready() && !ending_) {
      ready_ = true;
      tell("READY=1\nSTATUS=" + status());
      have_listeners_kept();
    }
    if (ready_ && watched_ && all_have_turned()) tell("WATCHDOG=1");
    const Instant next = later(ring_.now(), ready_ ? interval_ : kStartInterval);
    co_await bell_.wait(next);
  }
}

void ServiceManager::stop() {
  stopped_ = true;
  bell_.ring();
}

bool ServiceManager::is_ready() const {
  const store::FollowerStatus& store = follower_.status();
  return (store.loaded || !store.trouble.empty()) &&
         std::all_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->loop_counts().turns.get() > 0; });
}

// So that connections wait, instead of being refused, between this process and the next. A Unix
// socket's file would be in the way of both.
void ServiceManager::have_listeners_kept() const {
  if (path_.empty() || listeners_.passed) return;
  for (const auto& of_worker : listeners_.of_worker) {
    for (const int fd : of_worker) {
      Result<net::Address> address = net::Address::of_socket(fd);
      if (!address || address->is_unix()) continue;
      net::tell(path_, "FDSTORE=1\nFDNAME=" + kept_name(*address), fd);
    }
  }
}

// Since the last look; and makes those turn that have nothing to do, for the next one.
bool ServiceManager::all_have_turned() {
  bool all = true;
  for (size_t i = 0; i < workers_.size(); ++i) {
    const uint64_t now = workers_[i]->loop_counts().turns.get();
    all = all && now != std::exchange(turns_[i], now);
    workers_[i]->wake();
  }
  return all;
}

std::string ServiceManager::status() {
  uint64_t requests = 0;
  for (const auto& worker : workers_) requests += worker->recorder().series().requests.get();
  const Duration passed = std::max<Duration>(ring_.now() - looked_at_, kStartInterval);
  const uint64_t rate =
      (requests - requests_) * 1'000'000'000 / static_cast<uint64_t>(passed.count());
  requests_ = requests;
  looked_at_ = ring_.now();
  const store::FollowerStatus& store = follower_.status();
  return (ending_ ? "draining: " : "ready: ") + std::to_string(workers_.size()) + " cores, " +
         (store.connected ? "store followed by " + store.changes_by : "store away") + ", " +
         std::to_string(store.pipelines) + " pipelines, " + std::to_string(rate) + " requests/s";
}

// Before the first READY=1, or behind STOPPING=1, a second one would say too much.
void ServiceManager::reloading() {
  if (!ready_ || ending_) return;
  const Duration now = ring_.now().time_since_epoch();
  tell("RELOADING=1\nMONOTONIC_USEC=" + microseconds_of(now));
}

void ServiceManager::reloaded() {
  if (ready_ && !ending_) tell("READY=1");
}

void ServiceManager::stopping(Duration drain_timeout) {
  ending_ = true;
  tell("STOPPING=1\nEXTEND_TIMEOUT_USEC=" +
       microseconds_of(drain_timeout + std::chrono::seconds(5)));
}

void ServiceManager::tell(const std::string& state) const {
  if (!path_.empty()) net::tell(path_, state);
}

}  // namespace fnkit::server
