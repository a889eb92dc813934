#include "fnkit/http/client_pool.hpp"

#include <algorithm>
#include <cerrno>

#include "fnkit/net/connect.hpp"

namespace fnkit::http {

struct WaitingTag;

struct ClientPool::Pooled : ClientConnection {
  Pooled(ring::Ring& ring, int fd, const ClientOptions& options, Owner& owner, Upstream& to)
      : ClientConnection(ring, fd, options, owner), upstream(to) {}
  Upstream& upstream;
};

// A call that found all connections busy. It is handed a connection, or the right to open one.
struct ClientPool::Waiter : ListNode<WaitingTag> {
  coro::Event woken;
  Pooled* connection = nullptr;
};

class ClientPool::Upstream {
 public:
  explicit Upstream(const Endpoint& where) : endpoint(where) {}

  Endpoint endpoint;
  IntrusiveList<ClientConnection, IdleTag> idle;  // most recently used first
  size_t connections = 0;                         // open, opening or closing
  IntrusiveList<Waiter, WaitingTag> waiters;
  size_t waiting = 0;
};

namespace {

CallError given_up() { return {CallError::Kind::cancelled, "the caller is gone"}; }

}  // namespace

std::string Endpoint::to_text() const {
  return address ? address->to_text() : host + ":" + std::to_string(port);
}

ClientPool::ClientPool(ring::Ring& ring, net::Resolver& resolver, const ClientOptions& options)
    : ring_(ring), resolver_(resolver), options_(options) {}

ClientPool::~ClientPool() = default;

ClientPool::Upstream& ClientPool::upstream(const Endpoint& endpoint) {
  std::unique_ptr<Upstream>& known = upstreams_[endpoint.to_text()];
  if (known == nullptr) known = std::make_unique<Upstream>(endpoint);
  return *known;
}

coro::Task<Result<IncomingResponse, CallError>> ClientPool::call(Upstream& upstream,
                                                                 const OutgoingRequest& request,
                                                                 Instant deadline,
                                                                 coro::CancelScope& scope) {
  bool repeated = false;
  Acquired acquired = co_await acquire(upstream, deadline, scope);
  while (true) {
    if (!acquired) co_return std::move(acquired.error());
    Pooled& connection = **acquired;
    if (scope.cancelled()) {
      release(connection);
      co_return given_up();
    }
    Result<IncomingResponse, CallError> answer =
        co_await connection.exchange(request, deadline, scope);
    if (answer) {
      release(connection);
      co_return answer;
    }
    const bool harmless =
        connection.nothing_was_sent() ||
        (request.may_repeat && connection.used() && connection.nothing_was_received());
    if (repeated || !harmless || answer.error().kind != CallError::Kind::broken) {
      discard(connection);
      co_return answer;
    }
    repeated = true;
    discard_idle(upstream);  // whatever ended this one has most likely ended them too
    acquired = co_await replace(connection, deadline, scope);
  }
}

// A new connection in the place of one that has broken.
coro::Task<ClientPool::Acquired> ClientPool::replace(Pooled& broken, Instant deadline,
                                                     coro::CancelScope& scope) {
  Upstream& upstream = broken.upstream;
  co_await broken.close();
  delete &broken;
  Acquired opened = co_await open(upstream, deadline, scope);
  if (!opened) slot_is_free(upstream);
  co_return opened;
}

coro::Task<ClientPool::Acquired> ClientPool::acquire(Upstream& upstream, Instant deadline,
                                                     coro::CancelScope& scope) {
  if (scope.cancelled()) co_return given_up();
  while (ClientConnection* idle = upstream.idle.pop_front()) {
    auto& connection = static_cast<Pooled&>(*idle);
    connection.wake();
    if (connection.reusable()) co_return &connection;
    discard(connection);
  }
  if (upstream.connections >= options_.connections_max) {
    Acquired waited = co_await wait_for_one(upstream, deadline, scope);
    if (!waited || *waited != nullptr) co_return waited;
  } else {
    ++upstream.connections;
  }
  Acquired opened = co_await open(upstream, deadline, scope);
  if (!opened) slot_is_free(upstream);
  co_return opened;
}

// A connection, or nullptr with the right to open one (it is counted already).
coro::Task<ClientPool::Acquired> ClientPool::wait_for_one(Upstream& upstream, Instant deadline,
                                                          coro::CancelScope& scope) {
  if (upstream.waiting >= options_.waiting_max) {
    co_return CallError{CallError::Kind::overloaded, "too many calls wait for a connection"};
  }
  Waiter waiter;
  coro::CancelHook hook(&coro::Event::set_it, &waiter.woken);
  ring::Timer timer(&coro::Event::set_it, &waiter.woken);
  upstream.waiters.push_back(waiter);
  ++upstream.waiting;
  scope.add(hook);
  ring_.timers().arm(timer, deadline);
  co_await waiter.woken.wait();
  --upstream.waiting;
  if (!waiter.linked()) co_return waiter.connection;
  waiter.unlink();
  if (scope.cancelled()) co_return given_up();
  co_return CallError{CallError::Kind::timeout, "no connection became free in time"};
}

coro::Task<ClientPool::Acquired> ClientPool::open(Upstream& upstream, Instant deadline,
                                                  coro::CancelScope& scope) {
  const Instant connect_deadline = std::min(deadline, later(ring_.now(), options_.connect_timeout));
  Result<int> fd = co_await connect(upstream.endpoint, connect_deadline, scope);
  if (fd) co_return new Pooled(ring_, *fd, options_, *this, upstream);
  if (scope.cancelled()) co_return given_up();
  const bool late = fd.error().code == ETIMEDOUT;
  co_return CallError{late ? CallError::Kind::timeout : CallError::Kind::unreachable,
                      fd.error().message};
}

// The first of the endpoint's addresses that can be connected to.
coro::Task<Result<int>> ClientPool::connect(const Endpoint& endpoint, Instant deadline,
                                            coro::CancelScope& scope) {
  if (endpoint.address) {
    if (endpoint.address->is_forbidden_for_functions()) {
      co_return Error{endpoint.address->to_text() + " is an address that no function may have"};
    }
    Result<int> fd = co_await net::connect(ring_, *endpoint.address, deadline, scope);
    co_return fd;
  }
  Result<std::vector<net::Address>> addresses =
      co_await resolver_.resolve(endpoint.host, endpoint.port, deadline, scope);
  if (!addresses) co_return addresses.error();
  Result<int> fd = Error{"'" + endpoint.host + "' has no address"};
  for (const net::Address& address : *addresses) {
    if (address.is_forbidden_for_functions()) {
      fd = Error{"'" + endpoint.host + "' resolves to " + address.to_text() +
                 ", which no function may have"};
      continue;
    }
    fd = co_await net::connect(ring_, address, deadline, scope);
    if (fd || fd.error().code == ETIMEDOUT || scope.cancelled()) break;
  }
  co_return fd;
}

void ClientPool::release(Pooled& connection) {
  if (!connection.reusable()) {
    discard(connection);
    return;
  }
  Upstream& upstream = connection.upstream;
  if (Waiter* waiter = upstream.waiters.pop_front()) {
    waiter->connection = &connection;
    waiter->woken.set();
    return;
  }
  upstream.idle.push_front(connection);
  connection.rest();
}

void ClientPool::discard(Pooled& connection) { closing_.spawn(close_and_free(&connection)); }

coro::Task<void> ClientPool::close_and_free(Pooled* connection) {
  co_await connection->close();
  Upstream& upstream = connection->upstream;
  delete connection;
  slot_is_free(upstream);
}

void ClientPool::discard_idle(Upstream& upstream) {
  while (ClientConnection* idle = upstream.idle.pop_front()) discard(static_cast<Pooled&>(*idle));
}

// A connection of the upstream's allowance is gone: the longest waiting call may open another.
void ClientPool::slot_is_free(Upstream& upstream) {
  if (Waiter* waiter = upstream.waiters.pop_front()) {
    waiter->woken.set();
  } else {
    --upstream.connections;
  }
}

void ClientPool::idle_ended(ClientConnection& connection) {
  connection.unlink();
  discard(static_cast<Pooled&>(connection));
}

coro::Task<void> ClientPool::close() {
  for (auto& [name, upstream] : upstreams_) discard_idle(*upstream);
  co_await closing_.join();
  for (auto& [name, upstream] : upstreams_) INVARIANT(upstream->connections == 0);
}

}  // namespace fnkit::http
