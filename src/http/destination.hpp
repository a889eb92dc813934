// One address of a function, and what this core has to do with it.
#pragma once

#include <memory>
#include <vector>

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

// The addresses of one function.
class Destinations {
 public:
  enum class For { a_call, a_new_connection };

  // From now on the function is at these and at no other. Those of before that are not among them
  // stay, unlisted, until forget_unlisted() finds them without a connection.
  void list(const std::vector<net::Address>& addresses);
  void forget_unlisted();
  bool none_listed() const;

  // Of those that may be used now, the one with the fewest calls, among equals each in turn;
  // nullptr where there is none.
  Destination* least_loaded(For what, Instant now);
  // The last least_loaded() came to nothing: it is still the same one's turn.
  void give_back_turn() { next_ = turn_before_; }

  auto begin() { return all_.begin(); }
  auto end() { return all_.end(); }

 private:
  std::vector<std::unique_ptr<Destination>> all_;
  size_t next_ = 0;  // where to begin among equally loaded ones
  size_t turn_before_ = 0;
};

}  // namespace fnkit::http
