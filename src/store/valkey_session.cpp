#include "store/valkey_session.hpp"

#include <algorithm>

namespace fnkit::store {
namespace {

constexpr Duration kPingInterval = std::chrono::seconds(1);
constexpr Duration kPublishInterval = std::chrono::milliseconds(20);

}  // namespace

ValkeySession::ValkeySession(ring::Ring& ring, net::Resolver& resolver, PlanBook& book,
                             Duration refresh_interval, Owner& owner)
    : ring_(ring),
      resolver_(resolver),
      book_(book),
      refresh_interval_(refresh_interval),
      owner_(owner),
      bell_(ring) {}

coro::Task<Error> ValkeySession::run(Location location, coro::CancelScope& scope) {
  valkey::Endpoint endpoint = endpoint_of(location);
  Result<void> ended = co_await open(std::move(endpoint), scope);
  if (ended) {
    coro::CancelHook hook(&stop, this);
    scope.add(hook);
    ended = co_await follow(location.database);
  }
  if (subscriber_) co_await subscriber_->close();
  if (reader_) co_await reader_->close();
  INVARIANT(!ended);
  co_return ended.error();
}

void ValkeySession::stop(void* context) {
  auto& self = *static_cast<ValkeySession*>(context);
  self.reader_->stop();
  self.subscriber_->stop();
  self.bell_.ring();
}

coro::Task<Result<void>> ValkeySession::open(valkey::Endpoint endpoint, coro::CancelScope& scope) {
  using Opened = Result<std::unique_ptr<valkey::Connection>>;
  Opened reader = co_await valkey::Connection::open(ring_, resolver_, endpoint, scope);
  if (!reader) co_return reader.error();
  reader_ = std::move(*reader);
  Opened subscriber = co_await valkey::Connection::open(ring_, resolver_, endpoint, scope);
  if (!subscriber) co_return subscriber.error();
  subscriber_ = std::move(*subscriber);
  co_return Result<void>();
}

coro::Task<Result<void>> ValkeySession::follow(unsigned database) {
  feed_ = std::make_unique<ChangeFeed>(ring_, *subscriber_, database, dirty_, bell_);
  Result<void> ready = co_await feed_->set_up(*reader_);
  if (!ready) co_return ready;
  // The end of the idle reader is the end of tracking: not to be found out by the next ping.
  reader_->on_arrival(&Bell::ring_the, &bell_);
  coro::TaskGroup listening;
  listening.spawn(listen());
  Result<void> ended = co_await follow_changes();
  subscriber_->stop();
  co_await listening.join();
  co_return ended;
}

coro::Task<void> ValkeySession::listen() {
  co_await feed_->listen();
  reader_->stop();  // whatever is being read: changes are not told any more
}

coro::Task<Result<void>> ValkeySession::follow_changes() {
  Instant next_load = ring_.now();
  Instant next_ping = ring_.now();
  while (true) {
    const Instant now = ring_.now();
    Result<void> step;
    if (feed_->failure()) co_return *feed_->failure();
    if (now >= next_load || dirty_.everything_due(now)) {
      step = co_await load();
      next_load = later(ring_.now(), refresh_interval_);
    } else if (now >= dirty_.due()) {
      step = co_await read_dirty();
    } else if (now >= next_ping || reader_->ended()) {
      step = co_await ping();
      next_ping = later(ring_.now(), kPingInterval);
    } else {
      const Instant until = std::min({next_load, next_ping, dirty_.due()});
      co_await bell_.wait(until);
    }
    if (!step && feed_->failure()) co_return *feed_->failure();
    if (!step) co_return step;
  }
}

// Names that were known and are not found any more are read like the others: only the server's word
// that there is no such key removes one, not a SCAN that missed a key made meanwhile. What changes
// during a long load need not wait for its end.
coro::Task<Result<void>> ValkeySession::load() {
  dirty_.take_everything(ring_.now());
  std::set<std::string> all;
  std::string cursor = "0";
  do {
    Result<Page> page = co_await scan_page(*reader_, cursor);
    if (!page) co_return page.error();
    cursor = std::move(page->cursor);
    all.insert(page->names.begin(), page->names.end());
    Result<void> done = co_await read_dirty();
    if (!done) co_return done;
  } while (cursor != "0");
  for (std::string& name : book_.names()) all.insert(std::move(name));
  while (!all.empty()) {
    std::vector<std::string> batch;
    while (!all.empty() && batch.size() < kBatchNames) {
      batch.push_back(std::move(all.extract(all.begin()).value()));
    }
    Result<void> done = co_await read(std::move(batch));
    if (!done) co_return done;
    done = co_await read_dirty();
    if (!done) co_return done;
  }
  if (!std::exchange(loaded_, true)) {
    book_.publish();
    owner_.session_ready(changes_by());
  }
  co_return Result<void>();
}

coro::Task<Result<void>> ValkeySession::read_dirty() {
  std::vector<std::string> names = dirty_.take(ring_.now(), kBatchNames);
  co_return co_await read(std::move(names));
}

coro::Task<Result<void>> ValkeySession::read(std::vector<std::string> names) {
  Result<std::vector<Reading>> readings = co_await read_values(*reader_, names);
  if (!readings) co_return readings.error();
  for (size_t i = 0; i < names.size(); ++i) book_.read(names[i], std::move((*readings)[i]));
  if (may_publish()) {
    book_.publish();
    published_at_ = ring_.now();
  }
  co_return Result<void>();
}

// Not in the middle of a session's first load: after an absence everything changes at once. And in
// a storm not after each batch, as a publication copies what is around its changes.
bool ValkeySession::may_publish() const {
  if (!loaded_) return false;
  return dirty_.due() > ring_.now() || ring_.now() >= later(published_at_, kPublishInterval);
}

// Any answer is a sign of life.
coro::Task<Result<void>> ValkeySession::ping() {
  valkey::Command ping = {"PING"};
  Result<valkey::Reply> pong = co_await reader_->command(std::move(ping));
  if (!pong) co_return pong.error();
  co_return Result<void>();
}

std::string ValkeySession::changes_by() const {
  if (feed_->keyspace() && feed_->tracking()) return "keyspace notifications and tracking";
  if (feed_->keyspace()) return "keyspace notifications";
  if (feed_->tracking()) return "tracking";
  return "polling";
}

}  // namespace fnkit::store
