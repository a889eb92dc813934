// One address of a function, and what this core has to do with it.
#pragma once

#include "fnkit/base/random.hpp"
#include "fnkit/net/address.hpp"
#include "http/client_connection.hpp"
#include "http/sharing.hpp"

namespace fnkit::http {

using ConnectionList = IntrusiveList<ClientConnection, ConnectionTag>;

class Destination {
 public:
  explicit Destination(const net::Address& where) : address(where) {}

  // How calls may share.
  struct Rules {
    const Sharing& sharing;
    size_t depth;
    Instant now;

    bool allow(const PendingCall& call) const;
    bool allow_behind(const ClientConnection& connection) const;
  };
  // The connection for `call` that is the best choice, or nullptr: one that is sending in this turn
  // anyway, else the free one that was used last, else the one with the fewest calls. Those that
  // have just ended leave `free_ones`; their end is told soon.
  ClientConnection* connection_for(const PendingCall& call, const Rules& rules);

  // It could not be connected to: it is left out for a while that grows each time, within a second,
  // and jittered, so that the cores do not come back all at once.
  void refused(Instant now, Random& random);
  void accepted() { refusals_ = 0; }
  bool left_out(Instant now) const { return now < left_out_until_; }
  // How many may be connecting: to one that refused the last time, one that tries.
  size_t connecting_max() const { return refusals_ > 0 ? 1 : kConnectingMax; }

  static constexpr Duration kLeftOutMin = std::chrono::milliseconds(50);
  static constexpr Duration kLeftOutMax = std::chrono::milliseconds(800);

  const net::Address address;
  bool listed = true;  // in the last answer of DNS
  size_t connecting = 0;
  size_t connections = 0;    // open
  ConnectionList free_ones;  // used last, first
  ConnectionList busy;       // given a call last, first

  // Calls in progress, and connections that are being opened for some.
  size_t load();

 private:
  static constexpr size_t kConnectingMax = 16;

  unsigned refusals_ = 0;
  Instant left_out_until_;
};

}  // namespace fnkit::http
