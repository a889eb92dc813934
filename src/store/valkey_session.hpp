// Following Valkey over one pair of connections, from opening them to the failure of either.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "fnkit/coro/task_group.hpp"
#include "store/bell.hpp"
#include "store/change_feed.hpp"
#include "store/dirty_keys.hpp"
#include "store/plan_book.hpp"
#include "store/valkey_values.hpp"

namespace fnkit::store {

// Everything is read once at its beginning, after changes are being told, and each
// `refresh_interval` from then on; in between, what is told to have changed.
class ValkeySession {
 public:
  // Told once, when everything has been read and published.
  struct Owner {
    virtual ~Owner() = default;
    virtual void session_ready(const std::string& changes_by) = 0;
  };

  ValkeySession(ring::Ring& ring, net::Resolver& resolver, PlanBook& book,
                Duration refresh_interval, Owner& owner);

  // Ends with the reason, always. Soon after `scope` is cancelled.
  coro::Task<Error> run(Location location, coro::CancelScope& scope);

 private:
  using Step = coro::Task<Result<void>>;
  Step open(valkey::Endpoint endpoint, coro::CancelScope& scope);
  Step follow(unsigned database);
  Step follow_changes();
  Step load();
  Step read_dirty();
  Step read(std::vector<std::string> names);
  Step ping();
  bool may_publish() const;
  std::string changes_by() const;
  coro::Task<void> listen();
  static void stop(void* session);

  ring::Ring& ring_;
  net::Resolver& resolver_;
  PlanBook& book_;
  Duration refresh_interval_;
  Owner& owner_;
  bool loaded_ = false;
  Instant published_at_{};
  Bell bell_;
  DirtyKeys dirty_;
  std::unique_ptr<valkey::Connection> reader_;
  std::unique_ptr<valkey::Connection> subscriber_;
  std::unique_ptr<ChangeFeed> feed_;
};

}  // namespace fnkit::store
