// Names into addresses, without blocking the loop: c-ares on the ring's polls.
#pragma once

#include <memory>
#include <vector>

#include "fnkit/coro/cancellation.hpp"
#include "fnkit/net/address.hpp"
#include "fnkit/ring/ring.hpp"

namespace fnkit::net {

struct ResolverOptions {
  Duration ttl_min = std::chrono::seconds(1);
  Duration ttl_max = std::chrono::seconds(30);
  Duration failure_ttl = std::chrono::seconds(1);
  Duration stale_max = std::chrono::seconds(60);  // a known address is used on while DNS fails
};

struct Resolved {
  std::vector<Address> addresses;
  Instant fresh_until;  // until then they may be used without asking again
};

// Reads the hosts file and asks the servers of resolv.conf, for A and AAAA. Answers are kept for
// their TTL within the options' bounds; one query a name is under way at a time. One thread.
class Resolver {
 public:
  Resolver(ring::Ring& ring, const ResolverOptions& options);
  ~Resolver();

  // At least one address, each with `port`; or why there is none. An IP address as `host` is
  // itself, localhost and names below it are the loopback addresses. ETIMEDOUT at the deadline,
  // ECANCELED when `scope` is cancelled or close() was called.
  coro::Task<Result<Resolved>> resolve(std::string host, uint16_t port, Instant deadline,
                                       coro::CancelScope& scope);

  // Gives up what is under way, and returns when the kernel has let go.
  coro::Task<void> close();

 private:
  class Channel;
  std::unique_ptr<Channel> channel_;
};

}  // namespace fnkit::net
