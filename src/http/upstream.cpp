#include "http/upstream.hpp"

#include <algorithm>
#include <cerrno>

#include "fnkit/net/connect.hpp"

namespace fnkit::http {
namespace {

using Kind = CallError::Kind;
using For = Destinations::For;

}  // namespace

struct Upstream::Connection final : ClientConnection {
  Connection(ClientPool::Shared& shared, int fd, Owner& owner, Destination& to, Counter& busy)
      : ClientConnection(shared.ring, fd, shared.options, owner, busy), destination(to) {}
  Destination& destination;
};

// A connection that is being opened.
struct Upstream::Attempt {
  Attempt(Upstream& who, Destination& where) : upstream(who), to(where) {
    ring::TimerWheel& timers = upstream.shared_.ring.timers();
    timers.arm(timer, later(upstream.shared_.ring.now(), net::kAttemptDelay));
  }
  ~Attempt() {
    if (late) --upstream.late_;
  }
  static void is_late(void* attempt) {
    auto& self = *static_cast<Attempt*>(attempt);
    self.late = true;
    ++self.upstream.late_;
    self.upstream.leads_nowhere(self.to);
    self.upstream.open_for_waiting();
  }
  Upstream& upstream;
  Destination& to;
  bool late = false;
  ring::Timer timer{&is_late, this};
};

Upstream::Upstream(const Endpoint& endpoint, ClientPool::Shared& shared)
    : endpoint_(endpoint),
      shared_(shared),
      counts_(shared.counts.of(endpoint.to_text())),
      sharing_(shared.options.pipelining_wait, shared.options.pipelining_trust),
      waiting_(shared.waiting),
      try_again_(&try_again, this) {
  if (!endpoint.address) return;
  fresh_until_ = kNever;
  take_addresses({*endpoint.address});
}

void Upstream::dispatch(PendingCall& call) {
  if (!addresses_are_fresh() && !looking_up_) shared_.tasks.spawn(look_up());
  if (!addresses_are_fresh() && !looking_up_) {  // it is known that there are none
    call.end(last_failure_);
    return;
  }
  ClientConnection* connection = addresses_are_fresh() ? connection_for(call) : nullptr;
  // Those who wait come first, but what is free they cannot use, or they had been given it.
  if (connection != nullptr && !connection->free() && !waiting_.empty()) connection = nullptr;
  if (connection != nullptr) {
    give(*connection, call);
  } else {
    wait(call);
  }
}

// ---- addresses

bool Upstream::addresses_are_fresh() const { return shared_.ring.now() < fresh_until_; }

bool Upstream::waits_for_addresses() const { return looking_up_ && !addresses_are_fresh(); }

coro::Task<void> Upstream::look_up() {
  looking_up_ = true;
  const Instant deadline = later(shared_.ring.now(), shared_.options.connect_timeout);
  Result<net::Resolved> resolved =
      co_await shared_.resolver.resolve(endpoint_.host, endpoint_.port, deadline, shared_.closing);
  looking_up_ = false;
  if (resolved) {
    INVARIANT(resolved->fresh_until > shared_.ring.now());
    fresh_until_ = resolved->fresh_until;
    take_addresses(resolved->addresses);
    serve_waiting();
  } else if (resolved.error().code == ETIMEDOUT && addresses_are_fresh()) {
    serve_waiting();
  } else {
    last_failure_ = {Kind::unreachable, resolved.error().message};
    fresh_until_ = shared_.ring.now();  // doubted ones may have been fresh
    take_addresses({});
    fail_waiting();
  }
}

// Calls that are under way to other addresses than these are let end.
void Upstream::take_addresses(const std::vector<net::Address>& addresses) {
  std::vector<net::Address> allowed;
  for (const net::Address& address : addresses) {
    if (std::optional<CallError> why = endpoint_.forbids(address)) {
      last_failure_ = std::move(*why);
    } else {
      allowed.push_back(address);
    }
  }
  destinations_.list(allowed);
  for (auto& destination : destinations_) {
    if (!destination->listed) retire(*destination);
  }
  destinations_.forget_unlisted();
}

void Upstream::leads_nowhere(Destination& destination) {
  destination.refused(shared_.ring.now(), shared_.random);
  if (endpoint_.address || shared_.closing.cancelled()) return;
  shared_.resolver.doubt(endpoint_.host);
  if (!looking_up_) shared_.tasks.spawn(look_up());
}

void Upstream::retire(Destination& destination) {
  while (ClientConnection* connection = destination.free_ones.pop_front()) close_soon(*connection);
  ConnectionList& busy = destination.busy;
  for (auto* each = busy.front(); each != nullptr; each = busy.next(*each)) each->retire();
}

// ---- connections

Destination::Rules Upstream::rules() const {
  return {sharing_, shared_.options.pipelining_depth, shared_.ring.now()};
}

ClientConnection* Upstream::connection_for(const PendingCall& call) {
  Destination* best = destinations_.least_loaded(For::a_call, shared_.ring.now());
  ClientConnection* connection = best != nullptr ? best->connection_for(call, rules()) : nullptr;
  if (connection != nullptr) return connection;
  destinations_.give_back_turn();  // a connection may be opened to it now
  if (best != nullptr && connections_ < shared_.options.connections_max) return nullptr;
  for (auto& destination : destinations_) {
    connection = destination->connection_for(call, rules());
    if (connection != nullptr) return connection;
  }
  return nullptr;
}

void Upstream::give(ClientConnection& connection, PendingCall& call) {
  if (connection.calls() > 0) counts_.shared.add();
  count_depth(connection.calls() + 1);
  connection.unlink();
  static_cast<Connection&>(connection).destination.busy.push_front(connection);
  shared_.ring.timers().arm(call.timer, call.deadline);
  connection.add(call);
}

void Upstream::count_depth(size_t depth) {
  const auto& depths = EndpointCounts::kDepths;
  const auto at = std::lower_bound(depths.begin(), depths.end(), depth) - depths.begin();
  counts_.depths[static_cast<size_t>(at)].add();
  counts_.depth_sum.add(depth);
}

// A connection for each call that waits, as far as the limits go.
void Upstream::open_for_waiting() {
  if (waits_for_addresses()) return;
  while (connecting_ - late_ < waiting_.count() && connections_ < shared_.options.connections_max) {
    Destination* to = destinations_.least_loaded(For::a_new_connection, shared_.ring.now());
    if (to == nullptr) break;
    ++connecting_;
    counts_.connecting.add();
    ++connections_;
    ++to->connecting;
    ++shared_.connections;
    shared_.tasks.spawn(open(to));
  }
  if (waiting_.empty() || connecting_ > late_ || looking_up_) return;
  if (connections_ == 0 || destinations_.none_listed()) {
    fail_waiting();
  } else if (!try_again_.linked()) {
    // Some are open, so the calls have a prospect; but more may become possible meanwhile.
    shared_.ring.timers().arm(try_again_, later(shared_.ring.now(), Destination::kLeftOutMin));
  }
}

void Upstream::try_again(void* upstream) { static_cast<Upstream*>(upstream)->open_for_waiting(); }

coro::Task<void> Upstream::open(Destination* to) {
  const Instant deadline = later(shared_.ring.now(), shared_.options.connect_timeout);
  std::optional<Attempt> attempt(std::in_place, *this, *to);
  Result<int> fd = co_await net::connect(shared_.ring, to->address, deadline, shared_.closing);
  attempt.reset();
  --connecting_;
  counts_.connecting.subtract();
  --to->connecting;
  if (fd) {
    opened(*to, *fd);
    open_for_waiting();
    co_return;
  }
  const bool late = fd.error().code == ETIMEDOUT;
  last_failure_ = {late ? Kind::no_connection : Kind::unreachable, fd.error().message};
  leads_nowhere(*to);
  slot_is_free();
}

void Upstream::opened(Destination& to, int fd) {
  auto& connection = *new Connection(shared_, fd, *this, to, counts_.busy);
  counts_.open.add();
  to.accepted();
  ++to.connections;
  counts_.connected.add();
  PendingCall* call = waiting_.front();
  if (!to.listed || shared_.closing.cancelled()) {
    close_soon(connection);
  } else if (call != nullptr) {
    waiting_.remove(*call);
    give(connection, *call);
  } else {
    to.free_ones.push_front(connection);
  }
}

void Upstream::close_soon(ClientConnection& connection) {
  connection.unlink();
  shared_.tasks.spawn(close_and_free(&connection));
}

coro::Task<void> Upstream::close_and_free(ClientConnection* connection) {
  co_await connection->close();
  auto* ours = static_cast<Connection*>(connection);
  --ours->destination.connections;
  counts_.open.subtract();
  delete ours;
  slot_is_free();
}

void Upstream::slot_is_free() {
  --connections_;
  if (--shared_.connections == 0 && shared_.closing.cancelled()) shared_.none_left.set();
  destinations_.forget_unlisted();
  open_for_waiting();
}

void Upstream::close_free_ones() {
  try_again_.unlink();
  for (auto& destination : destinations_) retire(*destination);
}

// ---- waiting calls

// Those for whom a connection is or can be opened do not count as too many.
void Upstream::wait(PendingCall& call) {
  const size_t coming = connecting_ + shared_.options.connections_max - connections_;
  const bool full = waiting_.count() >= shared_.options.waiting_max + coming;
  if (full && !call.repeated) {
    PendingCall& refused = waiting_.one_too_many(call);
    if (refused.linked()) waiting_.remove(refused);
    refused.end(CallError{Kind::too_many_waiting, "too many calls wait for a connection"});
    if (&refused == &call) return;
  }
  waiting_.add(call);
  const Instant patience = later(shared_.ring.now(), shared_.options.connect_timeout);
  shared_.ring.timers().arm(call.timer, std::min(call.deadline, patience));
  open_for_waiting();
}

void Upstream::serve_waiting() {
  while (PendingCall* call = waiting_.front()) {
    ClientConnection* connection = call->repeated ? nullptr : connection_for(*call);
    if (connection == nullptr) break;
    waiting_.remove(*call);
    give(*connection, *call);
  }
  open_for_waiting();
}

void Upstream::fail_waiting() {
  while (PendingCall* call = waiting_.front()) {
    waiting_.remove(*call);
    call->end(last_failure_);
  }
}

CallError Upstream::why_late(const PendingCall& call) const {
  const Kind kind = shared_.ring.now() >= call.deadline ? Kind::timeout : Kind::no_connection;
  if (waits_for_addresses()) return {kind, "'" + endpoint_.host + "' was not found in time"};
  if (connecting_ < connections_) return {kind, "no connection became free in time"};
  return {kind, "connect to " + endpoint_.to_text() + ": no answer in time"};
}

void Upstream::give_up(PendingCall& call, CallError why) {
  if (call.connection != nullptr) {
    call.connection->give_up(call, std::move(why));
  } else {
    waiting_.remove(call);
    call.end(std::move(why));
  }
}

void Upstream::time_out(void* pending_call) {
  auto& call = *static_cast<PendingCall*>(pending_call);
  const bool waits = call.connection == nullptr;
  call.upstream->give_up(call, waits ? call.upstream->why_late(call)
                                     : CallError{Kind::timeout, "no complete answer in time"});
}

void Upstream::cancel(void* pending_call) {
  auto& call = *static_cast<PendingCall*>(pending_call);
  if (call.outcome) return;  // its answer came in this turn
  call.upstream->give_up(call, {Kind::cancelled, "the caller is gone"});
}

// ---- what connections tell

void Upstream::answered(ClientConnection&, Duration service) {
  sharing_.answered(service, shared_.ring.now());
}

void Upstream::has_room(ClientConnection& connection) {
  for (PendingCall* call = waiting_.front(); call != nullptr;) {
    PendingCall* next = waiting_.next(*call);
    const bool takes =
        connection.free() || (rules().allow(*call) && rules().allow_behind(connection));
    if (!takes) break;
    if (!call->repeated) {
      waiting_.remove(*call);
      give(connection, *call);
    }
    call = next;
  }
  if (!connection.free()) return;
  if (connecting_ < waiting_.count() && connections_ >= shared_.options.connections_max) {
    close_soon(connection);  // for a new one: only that will do for the call that goes out again
    return;
  }
  connection.unlink();
  static_cast<Connection&>(connection).destination.free_ones.push_front(connection);
}

// Whatever ended this connection has most likely ended the free ones too.
void Upstream::again(ClientConnection& connection, PendingCall& call) {
  counts_.repeated.add();
  Destination& destination = static_cast<Connection&>(connection).destination;
  while (ClientConnection* free_one = destination.free_ones.pop_front()) close_soon(*free_one);
  wait(call);
}

void Upstream::ended(ClientConnection& connection, ClientConnection::Ending how) {
  if (how == ClientConnection::Ending::in_use) sharing_.broke();
  if (how == ClientConnection::Ending::shared) sharing_.broke_shared(shared_.ring.now());
  close_soon(connection);
}

}  // namespace fnkit::http
