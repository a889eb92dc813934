// Names into addresses, without blocking the loop: c-ares on the ring's polls.
#pragma once

#include <memory>
#include <vector>

#include "fnkit/coro/cancellation.hpp"
#include "fnkit/net/address.hpp"
#include "fnkit/ring/ring.hpp"

namespace fnkit::net {

struct ResolverOptions {
  std::vector<Address> servers;  // IP addresses, each with its port; none: those of resolv.conf
  Duration ttl_min = std::chrono::seconds(1);
  Duration ttl_max = std::chrono::seconds(30);
  Duration failure_ttl = std::chrono::seconds(1);
  Duration stale_max = std::chrono::seconds(60);  // a known address is used on while DNS fails
};

// At least one address. The caller may go on using them until `fresh_until` without asking again.
struct Resolved {
  std::vector<Address> addresses;
  Instant fresh_until;
};

// Reads the hosts file and asks the DNS servers, for A and AAAA. What is known of a name:
//
// - Fresh, for the answer's TTL within the options' bounds: returned at once.
// - Expired no more than 1 s ago: returned at once while a look-up goes on behind, so that a name
//   in constant use never waits for DNS. Expired longer ago: the look-up is waited for. Either way
//   a changed address is in use within its TTL + 1 s.
// - Expired, and the last look-up has failed or takes longer than 1 s: returned at once, until
//   `stale_max` past the expiry; a look-up goes on behind at most each `failure_ttl`. That there is
//   no such name or no address is not a failure but the answer: what was known is dropped.
// - Nothing: the look-up is waited for, no longer than 1 s; a failure is kept for `failure_ttl`. A
//   look-up that nobody waits for any more goes on and fills the cache.
//
// One look-up a name is under way at a time; at most kAddressesMax addresses of its answer are
// kept, IPv4 and IPv6 in turns. From kNamesMax names on, those are forgotten that have long
// expired. One thread.
class Resolver {
 public:
  static constexpr size_t kAddressesMax = 64;
  static constexpr size_t kNamesMax = 1024;

  Resolver(ring::Ring& ring, const ResolverOptions& options);
  ~Resolver();

  // The addresses of `host`, each with `port`; or why there is none. An IP address is itself,
  // localhost and names below it are the loopback addresses: both for ever. ETIMEDOUT at the
  // deadline, ECANCELED when `scope` is cancelled or close() was called.
  coro::Task<Result<Resolved>> resolve(std::string host, uint16_t port, Instant deadline,
                                       coro::CancelScope& scope);

  // What is known of `host` leads nowhere: it may have moved, long before its TTL is over. It
  // counts as expired for more than 1 s, unless DNS has spoken within the last `failure_ttl`.
  void doubt(const std::string& host);

  // Gives up what is under way, and returns when the kernel has let go.
  coro::Task<void> close();

  // How many names something is known of.
  size_t names_known() const;

 private:
  class Channel;
  std::unique_ptr<Channel> channel_;
};

}  // namespace fnkit::net
