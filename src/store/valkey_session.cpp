#include "store/valkey_session.hpp"

#include <algorithm>
#include <cerrno>

namespace fnkit::store {
namespace {

constexpr Duration kPingInterval = std::chrono::seconds(1);
constexpr Duration kWatchInterval = std::chrono::milliseconds(500);
constexpr Duration kPublishInterval = std::chrono::milliseconds(20);

}  // namespace

ValkeySession::ValkeySession(ring::Ring& ring, ServerFinder& servers, PlanBook& book,
                             Duration refresh_interval, Owner& owner)
    : ring_(ring),
      servers_(servers),
      book_(book),
      refresh_interval_(refresh_interval),
      owner_(owner),
      bell_(ring),
      watch_bell_(ring) {}

coro::Task<Error> ValkeySession::run(coro::CancelScope& scope) {
  Result<void> ended = co_await open(scope);
  if (ended) {
    coro::CancelHook hook(&stop, this);
    scope.add(hook);
    ended = co_await follow();
  }
  if (subscriber_) co_await subscriber_->close();
  if (reader_) co_await reader_->close();
  INVARIANT(!ended);
  co_return failure_ ? *failure_ : ended.error();
}

void ValkeySession::stop(void* session) {
  static_cast<ValkeySession*>(session)->give_up(Error::from_errno(ECANCELED, "follow"));
}

// The first reason is the one that is told: what fails because of it says less.
void ValkeySession::give_up(const Error& why) {
  if (!failure_) failure_ = why;
  reader_->stop();  // whatever is being read
  subscriber_->stop();
  watching_.cancel();
  watch_bell_.ring();
  bell_.ring();
}

coro::Task<Result<void>> ValkeySession::open(coro::CancelScope& scope) {
  Result<valkey::Endpoint> found = co_await servers_.find(scope);
  if (!found) co_return found.error();
  endpoint_ = std::move(*found);
  using Connected = Result<std::unique_ptr<valkey::Connection>>;
  Connected reader = co_await servers_.connect(endpoint_, scope);
  if (!reader) co_return reader.error();
  reader_ = std::move(*reader);
  Connected subscriber = co_await servers_.connect(endpoint_, scope);
  if (!subscriber) co_return subscriber.error();
  subscriber_ = std::move(*subscriber);
  co_return Result<void>();
}

coro::Task<Result<void>> ValkeySession::follow() {
  feed_ = std::make_unique<ChangeFeed>(ring_, *subscriber_, endpoint_.database, dirty_, bell_);
  Result<void> ready = co_await feed_->set_up(*reader_);
  if (!ready) co_return ready;
  // The end of the idle reader is the end of tracking: not to be found out by the next ping.
  reader_->on_arrival(&net::Bell::ring_the, &bell_);
  coro::TaskGroup beside;
  beside.spawn(listen());
  if (servers_.may_move()) beside.spawn(watch_server());
  Result<void> ended = co_await follow_changes();
  give_up(ended.error());
  co_await beside.join();
  co_return ended;
}

coro::Task<void> ValkeySession::listen() {
  const Error why = co_await feed_->listen();
  give_up(why);
}

// That nobody can be asked is no reason to leave a server that answers.
coro::Task<void> ValkeySession::watch_server() {
  while (!watching_.cancelled()) {
    co_await watch_bell_.wait(later(ring_.now(), kWatchInterval));
    if (watching_.cancelled()) break;
    Result<valkey::Endpoint> found = co_await servers_.find(watching_);
    if (!found || found->server == endpoint_.server) continue;
    give_up(Error{"the primary is " + found->server.to_text() + " now"});
  }
}

coro::Task<Result<void>> ValkeySession::follow_changes() {
  Instant next_load = ring_.now();
  Instant next_ping = ring_.now();
  while (!failure_) {
    const Instant now = ring_.now();
    Result<void> step;
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
    if (!step) co_return step;
  }
  co_return *failure_;
}

// What changes during a long load need not wait for its end.
coro::Task<Result<void>> ValkeySession::load() {
  dirty_.take_everything(ring_.now());
  if (loaded_) {
    Result<void> asked = co_await feed_->ask_for_notifications(*reader_);
    if (!asked) co_return asked;
  }
  Result<void> step = co_await read_known();
  if (!step) co_return step;
  step = co_await read_found();
  if (!step) co_return step;
  loaded_ = true;
  publish();
  owner_.compared(changes_by());
  co_return Result<void>();
}

// Only the server's word that there is no such key removes one, not a SCAN that missed a key made
// meanwhile.
coro::Task<Result<void>> ValkeySession::read_known() {
  for (size_t part = 0; part < Snapshot::kParts; ++part) {
    std::vector<std::string> names = book_.names(part);
    Result<void> step = co_await read_all(std::move(names));
    if (!step) co_return step;
  }
  co_return Result<void>();
}

coro::Task<Result<void>> ValkeySession::read_found() {
  std::string cursor = "0";
  do {
    Result<Page> page = co_await scan_page(*reader_, cursor);
    if (!page) co_return page.error();
    cursor = std::move(page->cursor);
    std::erase_if(page->names, [this](const std::string& name) { return book_.knows(name); });
    Result<void> step = co_await read_all(std::move(page->names));
    if (!step) co_return step;
  } while (cursor != "0");
  co_return Result<void>();
}

coro::Task<Result<void>> ValkeySession::read_all(std::vector<std::string> names) {
  for (size_t begin = 0; begin < names.size(); begin += kBatchNames) {
    const size_t end = std::min(begin + kBatchNames, names.size());
    std::vector<std::string> batch(names.begin() + static_cast<ptrdiff_t>(begin),
                                   names.begin() + static_cast<ptrdiff_t>(end));
    Result<void> step = co_await read(std::move(batch));
    if (!step) co_return step;
    step = co_await read_dirty();
    if (!step) co_return step;
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
  for (size_t i = 0; i < names.size(); ++i) book_.read(names[i], (*readings)[i]);
  if (may_publish()) publish();
  co_return Result<void>();
}

void ValkeySession::publish() {
  book_.publish();
  published_at_ = ring_.now();
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
