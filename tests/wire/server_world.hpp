// A server connection (or many) over the simulated network, and callers who speak in bytes.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/http/server_connection.hpp"
#include "support/simulated_ring.hpp"
#include "wire/answers.hpp"
#include "wire/fixed_handler.hpp"

namespace fnkit::test {

// Far less than any limit of time.
inline constexpr Duration kShort = std::chrono::seconds(1);

// One caller's side. Reads all the time, unless told not to.
class Caller {
 public:
  Caller(ring::Ring& ring, int fd) : ring_(ring), fd_(fd), stream_(ring, fd) {}

  void start_reading();
  // Goes out after what was said before.
  void say(std::string bytes);
  // Ends this side when all has been said; the other stays open.
  void say_no_more();

  const std::string& heard() const { return heard_; }
  // The server has ended its side (or the connection has broken: then `broken`).
  bool ended() const { return ended_; }
  bool broken() const { return broken_; }
  Answers answers(bool to_head = false) const { return read_answers(heard_, to_head); }

  coro::Task<void> close();

 private:
  coro::Task<void> read();
  coro::Task<void> send();

  ring::Ring& ring_;
  int fd_;
  net::Stream stream_;
  coro::TaskGroup tasks_;
  std::deque<std::string> to_say_;
  bool sending_ = false;
  bool no_more_ = false;
  bool left_ = false;
  bool ended_ = false;
  bool broken_ = false;
  std::string heard_;
};

// Made with a seed, from which follow the cuts of all bytes in both directions, and all delays. At
// its end everything must have come home: sockets, operations, frames, memory.
class ServerWorld {
 public:
  explicit ServerWorld(uint64_t seed, FaultPlan plan = {});
  ~ServerWorld();

  SimulatedRing ring;
  http::ServerOptions options;  // to be changed before the first connect()
  FixedHandler handler;

  Caller& connect();
  // A caller who does not read yet.
  Caller& connect_deaf();
  // The server's side of the caller who connected last.
  http::ServerConnection& server() { return *servers_.back(); }
  bool last_connection_served() const { return served_.back(); }

  // The caller closes its socket; it must not be used any more.
  void leave(Caller& caller);
  // Simulated time.
  void run_for(Duration duration) { ring.run_for(duration); }
  // For at most a minute; false when the time is over and `condition` still does not hold.
  template <class Condition>
  bool run_until(Condition condition) {
    const Instant limit = later(ring.now(), std::chrono::minutes(1));
    while (!condition() && ring.now() < limit) run_for(std::chrono::milliseconds(1));
    return condition();
  }

 private:
  coro::Task<void> serve(size_t index);

  Random ids_;
  coro::TaskGroup tasks_;
  std::vector<std::unique_ptr<http::ServerConnection>> servers_;
  std::deque<bool> served_;
  std::vector<std::unique_ptr<Caller>> callers_;
};

}  // namespace fnkit::test
