// One function, as this core sees it: its addresses, its connections, and the calls that wait.
#pragma once

#include "fnkit/http/client_pool.hpp"
#include "http/destination.hpp"
#include "http/waiting_calls.hpp"

namespace fnkit::http {

// What all upstreams of a pool use.
struct ClientPool::Shared {
  ring::Ring& ring;
  net::Resolver& resolver;
  Random& random;
  const ClientOptions& options;
  ClientCounts& counts;
  coro::CancelScope closing;  // cancelled when the pool closes
  size_t connections = 0;     // open, opening or closing, to all functions
  size_t waiting = 0;         // calls, for a connection to whichever function
  coro::Event none_left;      // when closing: of them
  coro::TaskGroup tasks;      // what connects, looks up and closes
};

class Upstream final : ClientConnection::Owner {
 public:
  Upstream(const Endpoint& endpoint, ClientPool::Shared& shared);

  // Puts `call` on a connection, or makes it wait for one. It ends by PendingCall::end().
  void dispatch(PendingCall& call);
  // What a PendingCall's timer and its cancel hook call.
  static void time_out(void* pending_call);
  static void cancel(void* pending_call);

  EndpointCounts& counts() { return counts_; }

  // Closes what is free; no call may be under way.
  void close_free_ones();

 private:
  struct Connection;
  struct Attempt;

  // --- addresses
  bool addresses_are_fresh() const;
  bool waits_for_addresses() const;
  coro::Task<void> look_up();
  void take_addresses(const std::vector<net::Address>& addresses);
  void leads_nowhere(Destination& destination);
  void retire(Destination& destination);

  // --- connections
  ClientConnection* connection_for(const PendingCall& call);
  Destination::Rules rules() const;
  void give(ClientConnection& connection, PendingCall& call);
  void count_depth(size_t depth);
  void open_for_waiting();
  coro::Task<void> open(Destination* to);
  void opened(Destination& to, int fd);
  coro::Task<void> close_and_free(ClientConnection* connection);
  void close_soon(ClientConnection& connection);
  void slot_is_free();

  // --- waiting calls
  void wait(PendingCall& call);
  void serve_waiting();
  void fail_waiting();
  CallError why_late(const PendingCall& call) const;
  void give_up(PendingCall& call, CallError why);
  static void try_again(void* upstream);

  // --- ClientConnection::Owner
  void answered(ClientConnection& connection, Duration service) override;
  void has_room(ClientConnection& connection) override;
  void again(ClientConnection& connection, PendingCall& call) override;
  void ended(ClientConnection& connection, ClientConnection::Ending how) override;

  Endpoint endpoint_;
  ClientPool::Shared& shared_;
  EndpointCounts& counts_;
  Sharing sharing_;
  Destinations destinations_;
  Instant fresh_until_;
  bool looking_up_ = false;
  CallError last_failure_{CallError::Kind::unreachable, {}};
  WaitingCalls waiting_;
  ring::Timer try_again_;
  size_t connecting_ = 0;
  size_t late_ = 0;         // of these, those for which another address is tried as well
  size_t connections_ = 0;  // open, opening or closing
};

}  // namespace fnkit::http
