// What systemd, or whoever speaks its protocol (sd_notify(3)), is told of this process.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fnkit/net/bell.hpp"
#include "fnkit/server/worker.hpp"
#include "server/listeners.hpp"

namespace fnkit::server {

// Where $NOTIFY_SOCKET names nobody, nothing is told. Nothing waits for whoever is told. All
// references must outlive it. The control thread's.
class ServiceManager {
 public:
  ServiceManager(ring::Ring& ring, const std::vector<std::unique_ptr<Worker>>& workers,
                 const store::Follower& follower, const Listeners& listeners);

  // Until stop(): READY=1 once each core's loop turns and the store was looked at; with it the
  // listeners that are ours, to be kept for the next process; from then on STATUS, and WATCHDOG=1
  // where $WATCHDOG_USEC asks for it and every core still turns.
  coro::Task<void> run();
  void stop();

  // Between them settings are read again.
  void reloading();
  void reloaded();
  // Requests in progress get so long to end.
  void stopping(Duration drain_timeout);

 private:
  bool is_ready() const;
  void have_listeners_kept() const;
  bool all_have_turned();
  std::string status();
  void tell(const std::string& state) const;

  ring::Ring& ring_;
  const std::vector<std::unique_ptr<Worker>>& workers_;
  const store::Follower& follower_;
  const Listeners& listeners_;
  std::string path_;  // empty: nobody is told
  Duration interval_;
  bool watched_ = false;
  bool ready_ = false;
  bool ending_ = false;
  bool stopped_ = false;
  std::vector<uint64_t> turns_;  // of each core, at the last look
  uint64_t requests_ = 0;        // of all cores, at the last look
  Instant looked_at_;
  net::Bell bell_;
};

}  // namespace fnkit::server
