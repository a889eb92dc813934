#include "server/store_flusher.hpp"

#include <algorithm>

#include "fnkit/base/log.hpp"

namespace fnkit::server {
namespace {

std::string new_instance(Random& random) {
  std::string name;
  random.append_hex16(name);
  return name;
}

}  // namespace

StoreFlusher::StoreFlusher(ring::Ring& ring, net::Resolver& resolver, Random& random,
                           const store::Location& location, Source& source)
    : ring_(ring),
      source_(source),
      servers_(ring, resolver, location),
      instance_(new_instance(random)),
      bell_(ring),
      last_chance_(&give_up, this) {}

coro::Task<void> StoreFlusher::run() {
  bool last = false;
  while (!last) {
    last = stopping_;
    const Instant next = later(ring_.now(), wait_);
    if (!last) co_await bell_.wait(next);
    co_await flush();
  }
  co_await disconnect();
  co_await servers_.close();
  last_chance_.unlink();
}

void StoreFlusher::stop() {
  stopping_ = true;
  ring_.timers().arm(last_chance_, later(ring_.now(), kLastFlush));
  bell_.ring();
}

void StoreFlusher::give_up(void* flusher) {
  auto& self = *static_cast<StoreFlusher*>(flusher);
  self.scope_.cancel();
  if (self.connection_) self.connection_->stop();
}

coro::Task<void> StoreFlusher::flush() {
  if (batch_.empty()) {
    observe::Batch next = co_await source_.next_batch();
    if (next.empty()) co_return;
    next.number = ++batches_;
    interval_ = next.full() ? kIntervalWhenFull : kInterval;
    valkey::append_command(batch_, std::move(next).to_command(instance_));
  }
  Result<void> sent = co_await send();
  if (sent) {
    batch_.clear();
    wait_ = interval_;
    well_ = true;
    trouble_.clear();
  } else {
    failed(sent.error());
    co_await disconnect();
  }
}

// An error reply keeps the batch as a lost connection does: a server that is loading, or that has
// become a replica, or is full, may take it later, and this one or the next.
coro::Task<Result<void>> StoreFlusher::send() {
  if (connection_ == nullptr || connection_->ended()) {
    co_await disconnect();
    Result<void> connected = co_await connect();
    if (!connected) co_return connected;
  }
  Result<std::vector<valkey::Reply>> replies = co_await connection_->exchange(batch_, 1);
  if (!replies) co_return replies.error();
  const valkey::Reply& reply = replies->front();
  if (reply.is_error()) co_return Error{valkey::explain(reply.text)};
  for (const valkey::Reply& trouble : reply.elements) {
    log_event(LogLevel::warning, "observe", "a part of what was recorded was not stored",
              {{"detail", trouble.text}});
  }
  co_return Result<void>();
}

coro::Task<Result<void>> StoreFlusher::connect() {
  Result<valkey::Endpoint> endpoint = co_await servers_.find(scope_);
  if (!endpoint) co_return endpoint.error();
  Result<std::unique_ptr<valkey::Connection>> connection =
      co_await servers_.connect(std::move(*endpoint), scope_);
  if (!connection) co_return connection.error();
  connection_ = std::move(*connection);
  co_return Result<void>();
}

coro::Task<void> StoreFlusher::disconnect() {
  if (connection_ == nullptr) co_return;
  co_await connection_->close();
  connection_.reset();
}

// Said once an outage; the waits grow, as a server that is away does not come back at once.
void StoreFlusher::failed(const Error& why) {
  well_ = false;
  wait_ = std::min(2 * wait_, kWaitMax);
  if (trouble_ == why.message || stopping_) return;
  trouble_ = why.message;
  log_event(LogLevel::warning, "observe", "traces and metrics do not reach the store",
            {{"detail", why.message}});
}

}  // namespace fnkit::server
