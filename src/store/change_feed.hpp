// How changes in Valkey reach us: keyspace notifications and client tracking, on a connection of
// their own (RESP2 has no messages between replies).
#pragma once

#include <string>
#include <string_view>

#include "fnkit/net/bell.hpp"
#include "fnkit/valkey/connection.hpp"
#include "store/dirty_keys.hpp"

namespace fnkit::store {

// What of notify-keyspace-events `flags` lacks for pipelines: keyspace channels, string and generic
// commands, expiry, eviction. Empty where nothing is.
std::string missing_flags(std::string_view flags);

// 1. set_up() asks for notifications; from its return on, every change is marked in `dirty` soon
//    after it was made, and the bell rung.
// 2. listen() runs until the connection ends, stop() is called or the server falls silent, and
//    yields why. Until it has returned this must live.
class ChangeFeed {
 public:
  // `subscriber` is a fresh connection to the same server and database as the reader's. All must
  // outlive this.
  ChangeFeed(ring::Ring& ring, valkey::Connection& subscriber, unsigned database, DirtyKeys& dirty,
             net::Bell& bell);

  // Asks for tracking on `reader`, which then must stay open. A server that refuses is no error:
  // see keyspace() and tracking(). One that cannot tell now, as it loads or runs a script, is one.
  coro::Task<Result<void>> set_up(valkey::Connection& reader);
  // Asks for notifications once more, where somebody may have turned them off.
  coro::Task<Result<void>> ask_for_notifications(valkey::Connection& reader);
  bool keyspace() const { return keyspace_ && subscribed_; }
  bool tracking() const { return tracking_; }

  coro::Task<Error> listen();

 private:
  using Step = coro::Task<Result<void>>;
  Step subscribe();
  Step track(valkey::Connection& reader, std::string client_id);
  coro::Task<Result<bool>> subscription_answer(std::string_view kind);
  bool take(const valkey::Reply& message);
  void mark(std::string_view key);

  ring::Ring& ring_;
  valkey::Connection& subscriber_;
  std::string channel_prefix_;  // "__keyspace@0__:"
  DirtyKeys& dirty_;
  net::Bell& bell_;
  bool subscribed_ = false;  // to keyspace notifications
  bool keyspace_ = false;
  bool tracking_ = false;
};

}  // namespace fnkit::store
