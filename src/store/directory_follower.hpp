// Following a directory of files, which may come and go.
#pragma once

#include "fnkit/net/bell.hpp"
#include "store/directory_files.hpp"
#include "store/directory_watch.hpp"
#include "store/plan_book.hpp"

namespace fnkit::store {

class DirectoryFollower final : public Follower {
 public:
  DirectoryFollower(Location location, ring::Ring& ring, SnapshotSink& sink,
                    const FollowerOptions& options);

  coro::Task<void> run() override;
  void stop() override;
  const FollowerStatus& status() const override { return status_; }

 private:
  coro::Task<Error> follow();
  Result<void> load();
  void read(const std::string& name);
  void connected();
  void lost(const Error& why);

  ring::Ring& ring_;
  SnapshotSink& sink_;
  Location location_;
  FollowerOptions options_;
  FollowerStatus status_;
  PlanBook book_;
  Duration wait_;
  net::Bell bell_;
  coro::CancelScope scope_;
};

}  // namespace fnkit::store
