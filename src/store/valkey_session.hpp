// Following Valkey over one pair of connections, from opening them to the failure of either.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/net/bell.hpp"
#include "store/change_feed.hpp"
#include "store/dirty_keys.hpp"
#include "store/plan_book.hpp"
#include "store/server_finder.hpp"
#include "store/valkey_values.hpp"

namespace fnkit::store {

// Everything is read once at its beginning, after changes are being told, and each
// `refresh_interval` from then on; in between, what is told to have changed. Where the server may
// move, the session also ends soon after it has.
class ValkeySession {
 public:
  // Told whenever everything has been read, compared and published.
  struct Owner {
    virtual ~Owner() = default;
    virtual void compared(const std::string& changes_by) = 0;
  };

  ValkeySession(ring::Ring& ring, ServerFinder& servers, PlanBook& book, Duration refresh_interval,
                Owner& owner);

  // Ends with the reason, always. Soon after `scope` is cancelled.
  coro::Task<Error> run(coro::CancelScope& scope);

 private:
  using Step = coro::Task<Result<void>>;
  Step open(coro::CancelScope& scope);
  Step follow();
  Step follow_changes();
  Step load();
  Step read_known();
  Step read_found();
  Step read_all(std::vector<std::string> names);
  Step read_dirty();
  Step read(std::vector<std::string> names);
  Step ping();
  void publish();
  bool may_publish() const;
  std::string changes_by() const;
  coro::Task<void> listen();
  coro::Task<void> watch_server();
  void give_up(const Error& why);
  static void stop(void* session);

  ring::Ring& ring_;
  ServerFinder& servers_;
  PlanBook& book_;
  Duration refresh_interval_;
  Owner& owner_;
  bool loaded_ = false;
  Instant published_at_{};
  std::optional<Error> failure_;
  net::Bell bell_;
  DirtyKeys dirty_;
  valkey::Endpoint endpoint_;
  std::unique_ptr<valkey::Connection> reader_;
  std::unique_ptr<valkey::Connection> subscriber_;
  std::unique_ptr<ChangeFeed> feed_;
  coro::CancelScope watching_;
  net::Bell watch_bell_;
};

}  // namespace fnkit::store
