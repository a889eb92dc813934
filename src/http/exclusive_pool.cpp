#include "fnkit/http/exclusive_pool.hpp"

#include <algorithm>
#include <cerrno>

#include "fnkit/net/connect.hpp"

namespace fnkit::http {
namespace {

CallError not_connected(const Error& error) {
  switch (error.code) {
    case ETIMEDOUT: return {CallError::Kind::no_connection, error.message};
    case ECANCELED: return {CallError::Kind::cancelled, "the caller is gone"};
    default: return {CallError::Kind::unreachable, error.message};
  }
}

}  // namespace

coro::Task<Result<ExclusivePool::Connection, CallError>> ExclusivePool::open(
    const Endpoint& endpoint, Which which, Instant deadline, coro::CancelScope& scope) {
  Result<std::vector<net::Address>, CallError> addresses =
      co_await addresses_of(endpoint, deadline, scope);
  if (!addresses) co_return addresses.error();
  for (const net::Address& address : *addresses) {
    std::unique_ptr<net::Stream> kept = which == Which::new_one ? nullptr : take(address);
    if (kept != nullptr) co_return Connection{std::move(kept), address, true};
  }
  const Duration patience = endpoint.address ? Duration::max() : net::kAttemptDelay;
  Result<Connection, CallError> connection =
      co_await connect_to_one(*addresses, deadline, patience, scope);
  if (connection || endpoint.address || scope.cancelled()) co_return connection;
  resolver_.doubt(endpoint.host);
  addresses = co_await addresses_of(endpoint, deadline, scope);
  if (!addresses) co_return addresses.error();
  connection = co_await connect_to_one(*addresses, deadline, Duration::max(), scope);
  co_return connection;
}

// Those that a function may have; which comes first is left to chance.
coro::Task<Result<std::vector<net::Address>, CallError>> ExclusivePool::addresses_of(
    const Endpoint& endpoint, Instant deadline, coro::CancelScope& scope) {
  std::vector<net::Address> addresses;
  if (endpoint.address) {
    addresses.push_back(*endpoint.address);
  } else {
    Result<net::Resolved> resolved =
        co_await resolver_.resolve(endpoint.host, endpoint.port, deadline, scope);
    if (!resolved) co_return not_connected(resolved.error());
    addresses = std::move(resolved->addresses);
  }
  std::optional<CallError> why;
  std::erase_if(addresses, [&](const net::Address& address) {
    std::optional<CallError> forbidden = endpoint.forbids(address);
    if (!forbidden) return false;
    why = std::move(forbidden);
    return true;
  });
  if (addresses.empty()) co_return *why;
  const auto first = static_cast<std::ptrdiff_t>(random_.below(addresses.size()));
  std::rotate(addresses.begin(), addresses.begin() + first, addresses.end());
  co_return addresses;
}

// One that does not answer leaves time for the others.
coro::Task<Result<ExclusivePool::Connection, CallError>> ExclusivePool::connect_to_one(
    const std::vector<net::Address>& addresses, Instant deadline, Duration each_at_most,
    coro::CancelScope& scope) {
  CallError why{CallError::Kind::unreachable, {}};
  auto left = static_cast<Duration::rep>(addresses.size());
  for (const net::Address& address : addresses) {
    const Duration share = std::min((deadline - ring_.now()) / left--, each_at_most);
    const Instant its_deadline = ring_.now() + share;
    Result<int> fd = co_await net::connect(ring_, address, its_deadline, scope);
    if (fd) co_return Connection{std::make_unique<net::Stream>(ring_, *fd), address};
    why = not_connected(fd.error());
  }
  co_return why;
}

// Where there are enough, the one that was not used for longest goes.
void ExclusivePool::give_back(Connection connection, Duration idle_time) {
  if (idle_time <= Duration::zero()) {
    discard(std::move(connection.stream));
    return;
  }
  const auto place = places_.try_emplace(connection.address.to_text()).first;
  auto* kept = new Kept(*this, place, std::move(connection.stream));
  place->second.list.push_front(*kept);
  kept->stream->on_arrival(&is_over, kept);
  ring_.timers().arm(kept->timer, later(ring_.now(), idle_time));
  if (++place->second.count > kept_max_) discard(remove(*place->second.list.back()));
}

// What has come since the loop last looked would be taken for the next call's answer.
std::unique_ptr<net::Stream> ExclusivePool::take(const net::Address& address) {
  while (true) {
    const auto place = places_.find(address.to_text());
    if (place == places_.end()) return nullptr;
    std::unique_ptr<net::Stream> stream = remove(*place->second.list.front());
    const bool silent =
        !stream->ended() && stream->input().empty() && stream->unread() == ring::Unread::nothing;
    if (silent) return stream;
    discard(std::move(stream));
  }
}

std::unique_ptr<net::Stream> ExclusivePool::remove(Kept& kept) {
  std::unique_ptr<net::Stream> stream = std::move(kept.stream);
  stream->on_arrival(nullptr, nullptr);
  const Places::iterator from = kept.place;
  delete &kept;
  if (--from->second.count == 0) places_.erase(from);
  return stream;
}

void ExclusivePool::is_over(void* context) {
  auto& kept = *static_cast<Kept*>(context);
  ExclusivePool& pool = kept.owner;
  pool.discard(pool.remove(kept));
}

void ExclusivePool::discard(std::unique_ptr<net::Stream> stream) {
  closing_.spawn(close_and_free(std::move(stream)));
}

coro::Task<void> ExclusivePool::close_and_free(std::unique_ptr<net::Stream> stream) {
  co_await stream->close();
}

coro::Task<void> ExclusivePool::close() {
  while (!places_.empty()) discard(remove(*places_.begin()->second.list.front()));
  co_await closing_.join();
}

}  // namespace fnkit::http
