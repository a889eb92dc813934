// A real server in a folder of its own, and a ring with a client and a follower beside it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/store/store.hpp"
#include "fnkit/valkey/connection.hpp"

namespace fnkit::test {

// The path of "valkey-server" or "redis-server": from FNKIT_VALKEY_SERVER or FNKIT_REDIS_SERVER,
// the search path, or what tests/run has fetched; empty where there is none.
std::string find_server(const std::string& program);

// A TCP port of 127.0.0.1 that was free a moment ago.
uint16_t free_port();

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Listens on a Unix socket; saves nothing. Killed when destroyed.
class Server {
 public:
  Server(std::string program, std::vector<std::string> options = {});
  ~Server();

  void start();
  void signal(int number) const;
  // SIGKILL, and waits until it is gone.
  void kill();
  std::string socket() const { return folder_.path() + "/socket"; }
  std::string url() const { return "unix://" + socket(); }

 private:
  TemporaryFolder folder_;
  std::string program_;
  std::vector<std::string> options_;
  pid_t pid_ = -1;
};

// What was published, and when.
struct Published final : store::SnapshotSink {
  void publish(std::shared_ptr<const store::Snapshot> next) override;

  // The name of the first step in force under `name`; empty where there is none.
  std::string step(std::string_view name) const;
  // Why the value of `name` is invalid; empty where it is not.
  std::string invalid(std::string_view name) const;
  bool has(std::string_view name) const;

  std::shared_ptr<const store::Snapshot> snapshot;
  size_t count = 0;
  Instant last;
};

// "{"steps":["STEP"]}"
std::string config(const std::string& step);

class Live {
 public:
  Live();
  ~Live();

  ring::Ring& ring() { return *ring_; }
  net::Resolver& resolver() { return *resolver_; }
  Published& published() { return published_; }

  void follow(const std::string& url, Duration refresh = std::chrono::seconds(30));
  const store::FollowerStatus& status() const { return follower_->status(); }
  void stop_following();

  // Turns until `condition` holds; false after `limit`.
  template <class Condition>
  bool until(Condition condition, Duration limit = std::chrono::seconds(10)) {
    const Instant end = later(ring_->now(), limit);
    while (!condition() && ring_->now() < end) {
      ring_->timers().arm(look_again_, later(ring_->now(), std::chrono::milliseconds(20)));
      ring_->turn();
    }
    look_again_.unlink();
    return condition();
  }

  // Runs `task` while everything else goes on too.
  void run(coro::Task<void> task);
  // Connects to the server's socket, with the rights of everything, once it listens.
  void connect(const std::string& socket, const std::string& password = "");
  void disconnect();
  valkey::Reply ask(valkey::Command command);
  // ask() and when its answer came.
  Instant ask_when(valkey::Command command);
  void set(const std::string& name, const std::string& config);

 private:
  coro::Task<void> open_client(valkey::Endpoint endpoint);
  coro::Task<void> exchange(valkey::Command command);

  std::unique_ptr<ring::Ring> ring_;
  ring::Timer look_again_;  // ends a turn in which nothing happens
  std::unique_ptr<net::Resolver> resolver_;
  Published published_;
  std::unique_ptr<store::Follower> follower_;
  coro::TaskGroup tasks_;
  coro::CancelScope scope_;
  std::unique_ptr<valkey::Connection> client_;
  std::optional<valkey::Reply> reply_;
  Instant replied_;
};

}  // namespace fnkit::test
