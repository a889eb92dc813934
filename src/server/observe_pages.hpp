// /metrics and /observe/…: CONTRACT section 6.
#pragma once

#include "server/observatory.hpp"

namespace fnkit::server {

// On the control thread. What is shared with other instances is read from the store where that
// answers; otherwise a page tells of this instance alone.
class ObservePages {
 public:
  // All must outlive it.
  ObservePages(Observatory& observatory, ring::Ring& ring, net::Resolver& resolver)
      : observatory_(observatory), ring_(ring), resolver_(resolver) {}

  // `target` is one of is_observed(), with its query.
  coro::Task<Page> answer(std::string target);

 private:
  coro::Task<Page> records(std::string_view key, std::string_view member, std::string target);
  coro::Task<Page> metrics();
  coro::Task<Page> status();
  coro::Task<Result<std::vector<valkey::Reply>>> ask_store(std::vector<valkey::Command> questions);
  coro::Task<Result<std::string>> stored_metrics();
  std::string own_metrics() const;

  Observatory& observatory_;
  ring::Ring& ring_;
  net::Resolver& resolver_;
  coro::CancelScope never_;
};

// All that is counted, as Prometheus reads it.
std::string metrics_text(const Observatory& observatory);

// What the page at /observe/ shows, as JSON; cumulative, of this instance.
std::string live_json(const Observatory& observatory);

// The page at /observe/ itself, HTML.
std::string_view observe_page();

}  // namespace fnkit::server
