// This core's connections to functions for streamed calls: each is one call's as long as it lasts,
// and kept for the next one.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "fnkit/base/intrusive_list.hpp"
#include "fnkit/coro/task_group.hpp"
#include "fnkit/http/client_pool.hpp"
#include "fnkit/net/stream.hpp"

namespace fnkit::http {

// A kept connection that ends, or says something though nobody asked, or has idled long enough, is
// closed. Where the function's addresses change, connections to former ones are not used any more.
// One thread.
class ExclusivePool {
 public:
  struct Connection {
    std::unique_ptr<net::Stream> stream;
    net::Address address;
    bool kept = false;  // it has carried a call: the function may be ending it just now
  };
  enum class Which { kept_or_new, new_one };

  // All must outlive it. At most `kept_max` are kept to one address.
  ExclusivePool(ring::Ring& ring, net::Resolver& resolver, Random& random, size_t kept_max)
      : ring_(ring), resolver_(resolver), random_(random), kept_max_(kept_max) {}

  // To one of the addresses that a function may have; for a new one each is tried. Where those of a
  // name lead nowhere, DNS is asked anew and each is tried once more, as long as `deadline` allows.
  // Ends soon after `scope` is cancelled.
  coro::Task<Result<Connection, CallError>> open(const Endpoint& endpoint, Which which,
                                                 Instant deadline, coro::CancelScope& scope);
  // `connection` has nothing under way. It is kept for `idle_time`; zero: closed.
  void give_back(Connection connection, Duration idle_time);

  // Closes what is kept; returns when that is done. No connection may be out.
  coro::Task<void> close();

 private:
  struct KeptTag;
  struct Kept;
  struct Place {
    IntrusiveList<Kept, KeptTag> list;  // used last, first
    size_t count = 0;
  };
  using Places = std::map<std::string, Place>;  // by address; those with some
  struct Kept : ListNode<KeptTag> {
    Kept(ExclusivePool& pool, Places::iterator where, std::unique_ptr<net::Stream> connection)
        : owner(pool), place(where), stream(std::move(connection)), timer(&is_over, this) {}
    ExclusivePool& owner;
    const Places::iterator place;
    std::unique_ptr<net::Stream> stream;
    ring::Timer timer;
  };

  coro::Task<Result<std::vector<net::Address>, CallError>> addresses_of(const Endpoint& endpoint,
                                                                        Instant deadline,
                                                                        coro::CancelScope& scope);
  coro::Task<Result<Connection, CallError>> connect_to_one(
      const std::vector<net::Address>& addresses, Instant deadline, Duration each_at_most,
      coro::CancelScope& scope);
  std::unique_ptr<net::Stream> take(const net::Address& address);
  std::unique_ptr<net::Stream> remove(Kept& kept);
  void discard(std::unique_ptr<net::Stream> stream);
  coro::Task<void> close_and_free(std::unique_ptr<net::Stream> stream);
  static void is_over(void* kept);

  ring::Ring& ring_;
  net::Resolver& resolver_;
  Random& random_;
  const size_t kept_max_;
  Places places_;
  coro::TaskGroup closing_;
};

}  // namespace fnkit::http
