// One core: its ring, its listeners, its callers' connections, its connections to functions.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "fnkit/base/local_ref.hpp"
#include "fnkit/coro/task_group.hpp"
#include "fnkit/http/server_connection.hpp"
#include "fnkit/net/listener.hpp"
#include "fnkit/ring/wakeup.hpp"
#include "fnkit/server/inbox.hpp"
#include "fnkit/server/mailbox.hpp"
#include "fnkit/server/page.hpp"
#include "fnkit/server/settings.hpp"
#include "fnkit/store/snapshot.hpp"

namespace fnkit::server {

// Made on the control thread; run() is the worker's thread. The other public functions may be
// called from any thread. Shares nothing that it writes while it serves.
class Worker {
 public:
  // `settings` must outlive it; takes over `listeners`, listening descriptors.
  Worker(const Settings& settings, std::vector<int> listeners);
  ~Worker();

  // Serves until told to end; `ring` is this thread's. `pages` answers what this thread cannot.
  void run(ring::Ring& ring, PageSource& pages);

  void publish(std::shared_ptr<const store::Snapshot> pipelines);
  void publish(std::shared_ptr<const store::FollowerStatus> status);
  void publish(std::shared_ptr<const Tokens> tokens);

  // Makes its loop turn, where nothing else does.
  void wake() { shared_.wakeup.notify(); }

  // The page that this worker asked for is there.
  void answer(PageQuestion& question);

  // What it counts and writes down.
  observe::Recorder& recorder() { return shared_.recorder; }
  const observe::Recorder& recorder() const { return shared_.recorder; }
  const http::ClientCounts& client_counts() const { return shared_.client_counts; }
  const ring::LoopCounts& loop_counts() const { return shared_.loop_counts; }

  // Accepts no more, answers what is in progress, then run() returns; after the drain timeout what
  // is still in progress is answered with 503.
  void drain();

 private:
  class Core;
  struct Shared {
    explicit Shared(const observe::RecorderOptions& options) : recorder(options) {}

    observe::Recorder recorder;
    http::ClientCounts client_counts;
    ring::LoopCounts loop_counts;
    Inbox<PageQuestion*> answered;
    Mailbox<store::Snapshot> pipelines;
    Mailbox<store::FollowerStatus> store_status;
    Mailbox<Tokens> tokens;
    std::atomic<bool> draining = false;
    ring::Wakeup wakeup;
  };

  const Settings& settings_;
  std::vector<int> listeners_;
  Shared shared_;
};

}  // namespace fnkit::server
