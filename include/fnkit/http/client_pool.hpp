// This core's connections to functions: one is found, opened or waited for; the call is made; the
// connection goes back.
#pragma once

#include <map>
#include <memory>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/http/client_connection.hpp"
#include "fnkit/net/resolver.hpp"

namespace fnkit::http {

// Where a function is: an address, or a name to be looked up.
struct Endpoint {
  std::string host;
  uint16_t port = 0;
  std::optional<net::Address> address;  // then host and port are not looked at

  std::string to_text() const;
};

// A call is sent at most once, with two exceptions, each once and on a new connection: nothing of
// it had been accepted by the kernel, or it may be repeated and no byte of an answer had come.
// One thread.
class ClientPool : ClientConnection::Owner {
 public:
  class Upstream;

  // `options` must outlive it.
  ClientPool(ring::Ring& ring, net::Resolver& resolver, const ClientOptions& options);
  ~ClientPool() override;

  // All that this core knows of an endpoint; the same one for the same endpoint, until close().
  Upstream& upstream(const Endpoint& endpoint);

  coro::Task<Result<IncomingResponse, CallError>> call(Upstream& upstream,
                                                       const OutgoingRequest& request,
                                                       Instant deadline, coro::CancelScope& scope);

  // Closes what is idle and returns when nothing is open; no call may be under way.
  coro::Task<void> close();

 private:
  struct Pooled;
  struct Waiter;
  using Acquired = Result<Pooled*, CallError>;

  coro::Task<Acquired> acquire(Upstream& upstream, Instant deadline, coro::CancelScope& scope);
  coro::Task<Acquired> wait_for_one(Upstream& upstream, Instant deadline, coro::CancelScope& scope);
  coro::Task<Acquired> replace(Pooled& broken, Instant deadline, coro::CancelScope& scope);
  coro::Task<Acquired> open(Upstream& upstream, Instant deadline, coro::CancelScope& scope);
  coro::Task<Result<int>> connect(const Endpoint& endpoint, Instant deadline,
                                  coro::CancelScope& scope);
  void release(Pooled& connection);
  void discard(Pooled& connection);
  void discard_idle(Upstream& upstream);
  coro::Task<void> close_and_free(Pooled* connection);
  void slot_is_free(Upstream& upstream);
  void idle_ended(ClientConnection& connection) override;

  ring::Ring& ring_;
  net::Resolver& resolver_;
  const ClientOptions& options_;
  std::map<std::string, std::unique_ptr<Upstream>> upstreams_;
  coro::TaskGroup closing_;
};

}  // namespace fnkit::http
