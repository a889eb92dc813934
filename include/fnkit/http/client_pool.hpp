// This core's connections to functions: a call is given one, shares one, waits for one, or has one
// opened.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "fnkit/base/random.hpp"
#include "fnkit/coro/task_group.hpp"
#include "fnkit/http/call.hpp"
#include "fnkit/net/resolver.hpp"

namespace fnkit::http {

// Where a function is: an address, or a name to be looked up.
struct Endpoint {
  std::string host;
  uint16_t port = 0;
  std::optional<net::Address> address;  // then host and port are not looked at

  std::string to_text() const;
  // Why it is not called at `address`, where that is one that no function may have.
  std::optional<CallError> forbids(const net::Address& address) const;
};

class Upstream;

// A call is sent at most once, with the exceptions of the table in client_connection.hpp. One
// thread.
class ClientPool {
 public:
  struct Shared;  // with its upstreams

  // All must outlive it. `counts` is written by this pool alone.
  ClientPool(ring::Ring& ring, net::Resolver& resolver, Random& random,
             const ClientOptions& options, ClientCounts& counts);
  ~ClientPool();

  // All that this core knows of an endpoint; the same one for the same endpoint, until close().
  Upstream& upstream(const Endpoint& endpoint);

  // `request` and `scope` stay until the task has returned. Ends soon after `scope` is cancelled or
  // `deadline` has come.
  coro::Task<CallResult> call(Upstream& upstream, const OutgoingRequest& request, Instant deadline,
                              coro::CancelScope& scope);

  // For a connection, to whichever endpoint.
  size_t calls_waiting() const;
  // Of all its endpoints.
  CallCounts counts() const;

  // Closes what is idle and returns when nothing is open; no call may be under way.
  coro::Task<void> close();

 private:
  std::unique_ptr<Shared> shared_;
  std::map<std::string, std::unique_ptr<Upstream>> upstreams_;
};

}  // namespace fnkit::http
