// The c-ares side of the resolver: its sockets polled by the ring, its timeouts on the wheel.
#pragma once

#include <ares.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fnkit/coro/event.hpp"
#include "fnkit/net/resolver.hpp"

namespace fnkit::net {

struct WaiterTag;

class Resolver::Channel {
 public:
  Channel(ring::Ring& ring, const ResolverOptions& options);
  ~Channel();

  // Somebody waiting for a name. `ready` is set when the look-up has ended or takes too long
  // (`answered`), or the deadline or a cancel has come.
  struct Waiter : ListNode<WaiterTag> {
    coro::Event ready;
    bool answered = false;
  };
  // What is known of a name. A waiter stays in the list until it runs: it needs the entry then.
  struct Entry {
    Entry(Channel& owner, std::string its_name);

    Channel& channel;
    std::string name;
    std::vector<Address> addresses;  // without port
    Instant expires;                 // the addresses' TTL is over
    Instant told;                    // the last answer, or that there was none
    std::string failure;             // why the last look-up failed; empty when it did not
    Instant ask_again;               // no look-up begins, and none is waited for, before
    bool asking = false;
    bool confirming = false;  // asking for one kind of address only
    ring::Timer patience;     // armed while somebody may wait: fires when that takes too long
    IntrusiveList<Waiter, WaiterTag> waiters;
  };

  ring::Ring& ring() { return ring_; }
  bool closed() const { return closed_; }
  size_t names_known() const { return entries_.size(); }
  Entry& entry(const std::string& name);
  // Begins a look-up unless one is under way. It may have ended when this returns.
  void ask(Entry& entry);
  void doubt(const std::string& name);
  // Until when the addresses may be used without waiting for a look-up; the past without any.
  Instant usable_until(const Entry& entry) const;
  // Until when they may be used without asking here again.
  Instant fresh_until(const Entry& entry) const;
  coro::Task<void> close();

 private:
  // A socket of c-ares: one poll at a time, again as long as c-ares wants to hear of it.
  struct Socket {
    Channel* channel;
    ares_socket_t fd;
    uint32_t wanted = 0;
    ring::Operation poll;
  };

  static void socket_changed(void* channel, ares_socket_t fd, int readable, int writable);
  static void answered(void* entry, int status, int timeouts, ares_addrinfo* result);
  static void timer_fired(void* channel);
  static void polled(ring::Operation& operation);
  static void patience_is_over(void* entry);
  void use_servers(const std::vector<Address>& servers);
  void query(Entry& entry, int family);
  void watch(Socket& socket);
  void schedule();
  void forget_ended_sockets();
  void take_answer(Entry& entry, int status, const ares_addrinfo* result);
  void fail(Entry& entry, std::string why);
  void tell(Entry& entry);
  void forget_old_names();

  ring::Ring& ring_;
  ResolverOptions options_;
  ares_channel channel_ = nullptr;
  std::string init_failure_;
  bool closed_ = false;
  coro::Event sockets_gone_;
  ring::Timer timer_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::map<std::string, Entry> entries_;
};

}  // namespace fnkit::net
