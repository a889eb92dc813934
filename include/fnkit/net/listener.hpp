// Accepting connections.
#pragma once

#include <vector>

#include "fnkit/net/address.hpp"
#include "fnkit/ring/ring.hpp"

namespace fnkit::net {

// A listening socket on `address`, owned by the caller. TCP sockets share their port
// (SO_REUSEPORT): each further call with the address of the first (of_socket) gives another core
// its own accept queue. The first on an address must say so with `sole`, and fails with EADDRINUSE
// where anybody listens already. A stale Unix socket file, one that nobody listens on, is replaced.
enum class ListenAs { sole, further };
Result<int> open_listener(const Address& address, ListenAs as);

// New connections on the port of the listener `fd` go to another process from now on, where one
// listens there too: past the first `ours` sockets of the port, which are this process's, whoever
// had it before being gone (SO_ATTACH_REUSEPORT_CBPF, socket(7)). What is in the accept queues
// stays there.
void hand_over(int fd, size_t ours);
// When the other process is gone: all sockets of the port get connections again.
void end_hand_over(int fd);

// A listening socket that somebody else has made becomes one like ours: close-on-exec, TCP_NODELAY.
// Its address; the error goes on where the name of the descriptor ends.
Result<Address> adopt_listener(int fd);

// Accepts on a listening socket. Not having a descriptor left (EMFILE, ENFILE …) pauses it for
// kPause instead of spinning. One thread.
class Listener {
 public:
  static constexpr Duration kPause = std::chrono::milliseconds(50);

  // What becomes of connections that nobody has accepted yet: they are accepted before the socket
  // is closed, or left to the other processes that have the same socket.
  enum class AtEnd { empties_queue, leaves_queue };

  // Takes over `fd`.
  Listener(ring::Ring& ring, int fd, AtEnd at_end = AtEnd::empties_queue);
  ~Listener();

  struct AcceptAwaiter {
    Listener& listener;
    bool await_ready() const noexcept { return listener.has_news(); }
    void await_suspend(std::coroutine_handle<> handle) noexcept {
      REQUIRE(!listener.acceptor_.handle);
      listener.acceptor_.handle = handle;
    }
    Result<int> await_resume() { return listener.take(); }
  };
  // The next connection's descriptor, owned by the caller; ECANCELED after stop(), once what had
  // been accepted before is taken. One caller at a time.
  AcceptAwaiter accept() { return AcceptAwaiter{*this}; }

  void stop();
  // Stops, and returns when the socket is closed.
  coro::Task<void> close();

 private:
  bool has_news() const { return !accepted_.empty() || (stopped_ && !operation_.submitted); }
  Result<int> take();
  void arm();
  void completed();
  void accept_remaining();
  static void operation_completed(ring::Operation& operation);
  static void pause_over(void* listener);

  ring::Ring& ring_;
  int fd_;
  AtEnd at_end_;
  bool stopped_ = false;
  std::vector<int> accepted_;  // newest last; taken from the front
  coro::ReadyNode acceptor_;
  ring::Timer pause_;
  ring::Operation operation_;
};

}  // namespace fnkit::net
