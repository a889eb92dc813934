// Following Valkey for ever: sessions, and the waits between them.
#pragma once

#include "fnkit/base/random.hpp"
#include "store/valkey_session.hpp"

namespace fnkit::store {

class ValkeyFollower final : public Follower, private ValkeySession::Owner {
 public:
  ValkeyFollower(Location location, ring::Ring& ring, net::Resolver& resolver, SnapshotSink& sink,
                 const FollowerOptions& options);

  coro::Task<void> run() override;
  void stop() override;
  const FollowerStatus& status() const override { return status_; }

 private:
  void session_ready(const std::string& changes_by) override;
  void session_ended(const Error& why);
  Duration next_wait();

  ring::Ring& ring_;
  net::Resolver& resolver_;
  Location location_;
  FollowerOptions options_;
  FollowerStatus status_;
  PlanBook book_;
  Random random_;
  Duration wait_;
  Bell bell_;
  coro::CancelScope scope_;
};

}  // namespace fnkit::store
