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
#include "fnkit/server/mailbox.hpp"
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

  // Serves until told to end; `ring` is this thread's.
  void run(ring::Ring& ring);

  void publish(std::shared_ptr<const store::Snapshot> pipelines);
  void publish(std::shared_ptr<const store::FollowerStatus> status);
  void publish(std::shared_ptr<const Tokens> tokens);

  // Accepts no more, answers what is in progress, then run() returns; after the drain timeout what
  // is still in progress is answered with 503.
  void drain();

 private:
  class Core;
  struct Shared {
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
