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
  void compared(const std::string& changes_by) override;
  void session_ended(const Error& why);
  Duration next_wait();

  ring::Ring& ring_;
  SnapshotSink& sink_;
  ServerFinder servers_;
  FollowerOptions options_;
  FollowerStatus status_;
  PlanBook book_;
  Random random_;
  Duration wait_;
  net::Bell bell_;
  coro::CancelScope scope_;
};

}  // namespace fnkit::store
