// Where the server listens: its own sockets, or those that were passed to it.
#pragma once

#include <string>
#include <vector>

#include "fnkit/net/listener.hpp"
#include "fnkit/server/settings.hpp"

namespace fnkit::server {

// Listening descriptors. They are the caller's.
struct Listeners {
  std::vector<std::vector<int>> of_worker;  // [worker][address]
  std::vector<net::Address> addresses;
  int admin = -1;  // -1: none
  // Made by somebody else, who goes on listening after us: a Unix socket's file is theirs.
  bool passed = false;
};

// What a service manager that keeps listeners from one process to the next is to call them.
std::string kept_name(const net::Address& address);

// What becomes of a listener's queue when it is closed: a passed socket's is left to its others.
inline net::Listener::AtEnd at_end(const Settings& settings) {
  using AtEnd = net::Listener::AtEnd;
  return settings.listens_on_passed ? AtEnd::leaves_queue : AtEnd::empties_queue;
}

// On the settings' addresses; or, where LISTEN_FDS passes some (sd_listen_fds(3)), on these
// instead: every core accepts from each, but what is called "admin" in LISTEN_FDNAMES is the admin
// listener.
// Those that are called as kept_name() says are our own of before (FDSTORE=1, sd_notify(3)): where
// no others are passed and the settings still name their address they go on; else they are closed,
// and $NOTIFY_SOCKET is told that they need not be kept.
// The variables are taken away, so that no child thinks that they mean it. Before any thread.
Result<Listeners> open_listeners(const Settings& settings);

}  // namespace fnkit::server
