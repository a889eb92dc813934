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

  // Somebody waiting for a name. `ready` is set when the answer, the deadline or a cancel has come.
  struct Waiter : ListNode<WaiterTag> {
    coro::Event ready;
  };
  // What is known of a name; addresses without port.
  struct Entry {
    std::vector<Address> addresses;
    std::string failure;  // why the last look-up failed; empty when it did not
    Instant expires;      // not to be asked for again before
    Instant stale_until;  // the addresses may be used until then
    bool asking = false;
    Channel* channel = nullptr;
    IntrusiveList<Waiter, WaiterTag> waiters;
  };

  ring::Ring& ring() { return ring_; }
  bool closed() const { return closed_; }
  Entry& entry(const std::string& name) { return entries_[name]; }
  // Asks for `name`, unless that is being done.
  void ask(const std::string& name, Entry& entry);
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
  void watch(Socket& socket);
  void schedule();
  void forget_ended_sockets();
  void take_answer(Entry& entry, int status, ares_addrinfo* result);

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
