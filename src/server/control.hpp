// The control thread: follows the store, hears signals, serves the admin pages, ends it all.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/http/server_connection.hpp"
#include "fnkit/net/listener.hpp"
#include "fnkit/ring/wakeup.hpp"
#include "fnkit/server/settings.hpp"
#include "fnkit/server/worker.hpp"
#include "server/listeners.hpp"
#include "server/observe_pages.hpp"
#include "server/service_manager.hpp"
#include "server/signals.hpp"

namespace fnkit::server {

class Control final : public PageSource, store::SnapshotSink, Signals::Handler, http::Handler {
 public:
  // All must outlive it. Of `listeners` it takes over the admin's; the others are the workers'.
  Control(const Settings& settings, ring::Ring& ring, Signals& signals,
          std::vector<std::unique_ptr<Worker>>& workers, const Listeners& listeners, Logs& logs);
  ~Control() override;

  // Until a signal has ended the server and all workers have told that they are done.
  coro::Task<void> run();

  // From a worker's thread, once, as its last act.
  void worker_is_done();
  void ask(PageQuestion& question) override;

 private:
  void publish(std::shared_ptr<const store::Snapshot> snapshot) override;
  void tell(const store::FollowerStatus& status) override;
  void signalled(int signal) override;
  http::Admission admit(const http::Request& head) override;
  coro::Task<http::Response> handle(http::Request& request) override;

  http::Response admin_page(const http::Request& request) const;
  coro::Task<void> answer(PageQuestion* question);
  coro::Task<void> serve_admin(int fd);
  coro::Task<void> serve_admin_connection(int fd);
  void reload_tokens();
  void drain();
  coro::Task<void> replace_predecessor();
  static void woken(void* control);

  const Settings& settings_;
  ring::Ring& ring_;
  Signals& signals_;
  std::vector<std::unique_ptr<Worker>>& workers_;
  const Listeners& listeners_;
  net::Listener* admin_listener_ = nullptr;
  IntrusiveList<http::ServerConnection, http::ServerConnectionTag> admin_connections_;
  Random random_;
  net::Resolver resolver_;
  std::unique_ptr<store::Follower> follower_;
  Observatory observatory_;
  ObservePages pages_;
  ServiceManager service_manager_;
  Inbox<PageQuestion*> questions_;
  // Those that workers may still hold. They are freed here and not by the worker that lets go last:
  // that costs as much as making them did.
  std::vector<std::shared_ptr<const store::Snapshot>> snapshots_;
  bool draining_ = false;
  bool replacing_ = false;
  ring::Operation predecessor_ended_;
  std::atomic<size_t> workers_done_ = 0;
  ring::Wakeup wakeup_;
  coro::Event all_done_;
  coro::TaskGroup tasks_;
};

}  // namespace fnkit::server
