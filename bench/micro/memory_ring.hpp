// A ring without a kernel: what is sent goes to the benchmark, what it says arrives. Costs next to
// nothing, so that what is measured is the program.
#pragma once

#include <sys/uio.h>

#include <span>
#include <string_view>
#include <vector>

#include "fnkit/ring/ring.hpp"

namespace fnkit::bench {

class MemoryRing final : public ring::Ring {
 public:
  // Who stands at the other end of all sockets. Called inside a turn.
  struct Outside {
    virtual ~Outside() = default;
    // These bytes were sent on `fd`; they end with the call.
    virtual void sent(int fd, std::span<const iovec> parts) = 0;
    // Everything has been read: say more, or have the program end.
    virtual void idle() = 0;
  };

  explicit MemoryRing(Outside& outside);

  // A socket to be given to a listener.
  int listen();
  // Somebody connects to `listener`, whose accept must be armed: the descriptor of the program's
  // side, where it will receive as soon as it has accepted.
  int connect_to(int listener);
  // `bytes` arrive at `fd`, in one piece; they must stay until the program has read them.
  void say(int fd, std::string_view bytes);

  Result<int> open_socket(int family) override;
  ring::Unread unread(int) override { return ring::Unread::nothing; }
  void shut_down_sending(int) override {}
  void close(int fd) override;

 private:
  struct Completion {
    ring::Operation* operation;
    int32_t result;
    bool more;
    std::string_view data;
  };

  void start(ring::Operation& operation) override;
  void stop(ring::Operation& operation) override;
  void wait(Instant until) override;
  Instant read_clock() override { return clock_; }
  void reap() override;

  ring::Operation*& armed(int fd);
  void send(ring::Operation& operation);
  void look_at_descriptors();

  Outside& outside_;
  Instant clock_;
  std::vector<ring::Operation*> armed_;  // by socket: its accept or receive
  std::vector<ring::Operation*> reads_;  // of real descriptors
  std::vector<Completion> completions_;
  std::vector<Completion> reaping_;
};

}  // namespace fnkit::bench
