// Which server a location means, and connections to it.
#pragma once

#include <memory>

#include "fnkit/store/store.hpp"
#include "fnkit/valkey/connection.hpp"

namespace fnkit::store {

// A location that names a server means that one. One that names Sentinels means the primary that
// they tell of: they are asked in turn, beginning with the one that answered last, over a
// connection that is kept. (https://valkey.io/topics/sentinel-clients)
//
// One call at a time; close() before the ring goes.
class ServerFinder {
 public:
  ServerFinder(ring::Ring& ring, net::Resolver& resolver, Location location)
      : ring_(ring), resolver_(resolver), location_(std::move(location)) {}

  // Whether find() may yield another server later.
  bool may_move() const { return location_.kind == Location::Kind::sentinel; }
  const Location& location() const { return location_; }

  coro::Task<Result<valkey::Endpoint>> find(coro::CancelScope& scope);

  // Makes sure that the server is one whose pipelines can be followed: none of a cluster of
  // several, where only a part of the keys is, and no replica where a primary was told of.
  coro::Task<Result<std::unique_ptr<valkey::Connection>>> connect(valkey::Endpoint endpoint,
                                                                  coro::CancelScope& scope);
  coro::Task<void> close();

 private:
  valkey::Endpoint endpoint_of(net::HostPort server) const;
  coro::Task<Result<valkey::Endpoint>> ask(coro::CancelScope& scope);
  coro::Task<Result<valkey::Reply>> ask_for_primary();
  coro::Task<Result<void>> check(valkey::Connection& connection);

  ring::Ring& ring_;
  net::Resolver& resolver_;
  Location location_;
  size_t turn_ = 0;  // of location_.hosts: the Sentinel to ask
  std::unique_ptr<valkey::Connection> sentinel_;
};

}  // namespace fnkit::store
