// A network and a clock in memory, behind the seam that the kernel stands behind: seeded, so that
// the same seed gives the same run to the last byte.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "fnkit/base/random.hpp"
#include "fnkit/net/address.hpp"
#include "fnkit/ring/ring.hpp"

namespace fnkit::test {

// What goes wrong, and how slowly the rest goes right. Chances are percentages. May be changed
// while the simulation runs.
struct FaultPlan {
  unsigned connect_refused = 0;
  unsigned connect_lost = 0;  // never answered: only a deadline or a cancel ends it
  unsigned accept_fails = 0;  // EMFILE or its like (it waits), ECONNABORTED (it is gone)
  unsigned send_fails = 0;    // a send finds the connection reset
  unsigned reset = 0;         // instead of a piece of data the reader gets a reset
  unsigned short_sends = 20;  // a silent send gets only a part away at once
  unsigned tiny_pieces = 30;  // a piece has 1 to 8 bytes
  size_t piece_max = 4096;
  size_t socket_bytes = 64 * 1024;  // sent and not yet received, at most
  Duration latency_max = std::chrono::milliseconds(2);

  static FaultPlan quick() { return {.short_sends = 0, .tiny_pieces = 0}; }
};

// Descriptors are numbers from kFirstDescriptor on and are never used twice, so that a second close
// or an operation on a closed one is found. The verbs read and poll work on real descriptors only
// (an eventfd, say) and are looked at once a turn, without blocking.
//
// wait() moves the clock to the next event. Where nothing can ever happen any more, and at its end
// where an operation is in flight or a socket open, it prints seed and trace and aborts.
class SimulatedRing final : public ring::Ring {
 public:
  static constexpr int kFirstDescriptor = 1'000'000;

  explicit SimulatedRing(uint64_t seed, FaultPlan plan = {});
  ~SimulatedRing() override;

  FaultPlan& faults() { return plan_; }
  Random& random() { return random_; }

  // A listening socket; a connect to the same address reaches it.
  int listen(const net::Address& address);
  // Two sockets connected to each other.
  std::pair<int, int> connected_pair();

  // Connected sockets, oldest first: those of clients and those of servers alike.
  std::vector<int> connections() const;
  size_t open_sockets() const { return sockets_.size(); }

  // Resets the connection of `fd` at both ends, now.
  void kill(int fd);
  // Nothing arrives over the connection of `fd` any more, in neither direction, not even its end.
  void freeze(int fd);
  void thaw(int fd);

  // Turns until so much simulated time is over.
  void run_for(Duration duration);

  // Receives that were completed into memory of whoever asked for them.
  size_t received_in_place() const { return received_in_place_; }

  // A number over all completions so far: equal runs have equal traces.
  uint64_t trace() const { return trace_; }

  Result<int> open_socket(int family) override;
  ring::Unread unread(int fd) override;
  void shut_down_sending(int fd) override;
  void close(int fd) override;

 private:
  using OperationId = uint64_t;  // 0: none
  struct Live {
    ring::Operation* operation;
    bool ended = false;  // its last completion is queued
  };
  struct Completion {
    OperationId id;
    int32_t result;
    bool more;
    bool progress = false;  // tell progressed() and nothing else
    std::string data = {};
  };
  struct Socket {
    int fd = -1;
    std::string listening;    // the address; empty: not a listener
    std::deque<int> backlog;  // connected and not yet accepted
    int peer = -1;
    std::string incoming;  // on its way here
    std::string unread;    // arrived
    bool fin_coming = false;
    bool fin_arrived = false;
    bool fin_sent = false;
    bool reset = false;
    bool frozen = false;
    bool delivering = false;  // a delivery is scheduled
    OperationId accept = 0, receive = 0, send = 0, connect = 0;
  };

  // --- as a ring (simulated_ring.cpp)
  void start(ring::Operation& operation) override;
  void stop(ring::Operation& operation) override;
  void wait(Instant until) override;
  Instant read_clock() override { return clock_; }
  void reap() override;
  void hand_over();
  void run_due();
  void look_at_descriptors();
  void finish_silent_sends();
  void schedule(Duration after, std::function<void()> event);
  Duration latency();
  ring::Operation* live(OperationId id);
  void complete_later(OperationId id, int32_t result, bool more, std::string data = {});
  void detach(const ring::Operation& operation);
  void record(const ring::Operation& operation, int32_t result);
  [[noreturn]] void fail(const char* what) const;

  // --- as a network (simulated_network.cpp)
  void begin(OperationId id);
  Socket& socket(int fd);
  Socket* find(int fd);
  Socket& add_socket();
  void connect_now(OperationId id);
  void accept_now(int fd);
  void send_now(int fd, bool first);
  void deliver_later(Socket& to);
  void deliver(int fd);
  void receive_now(int fd);
  void reset_now(int fd);
  void reset_later(int fd);
  void abandon(Socket& closing);
  size_t piece(size_t available);

  uint64_t seed_;
  FaultPlan plan_;
  Random random_;
  Instant clock_;
  std::map<int, Socket> sockets_;
  int next_fd_ = kFirstDescriptor;

  std::map<OperationId, Live> live_;
  std::map<const ring::Operation*, OperationId> ids_;
  OperationId next_id_ = 1;
  std::vector<std::pair<OperationId, bool>> submissions_;  // true: start, false: stop
  std::vector<OperationId> on_descriptors_;
  std::vector<OperationId> silent_;
  std::deque<Completion> completions_;
  std::map<std::pair<Instant, uint64_t>, std::function<void()>> events_;
  uint64_t next_event_ = 0;

  uint64_t trace_ = 0;
  size_t received_in_place_ = 0;
  std::deque<std::string> last_completions_;
};

}  // namespace fnkit::test
