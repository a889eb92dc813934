// The ring over io_uring.
#pragma once

#include <liburing.h>

#include <memory>
#include <vector>

#include "fnkit/ring/ring.hpp"
#include "ring/provided_buffers.hpp"

namespace fnkit::ring {

class KernelRing final : public Ring {
 public:
  KernelRing();
  ~KernelRing() override;

  // Once, on the thread that will use the ring, before anything else.
  Result<void, RingForbidden> set_up();

  Result<int> open_socket(int family) override;
  Unread unread(int fd) override;
  void shut_down_sending(int fd) override;
  void close(int fd) override;

  // For a test of what the kernel lets it do.
  io_uring& kernel_side() { return ring_; }

 private:
  void start(Operation& operation) override;
  void stop(Operation& operation) override;
  void wait(Instant until) override;
  Instant read_clock() override;
  void reap() override;

  int register_all();

  bool all_is_quiet() const;
  io_uring_sqe& next_submission();
  void prepare_send(io_uring_sqe& entry, Operation& operation);
  int enter(unsigned wait_count, const __kernel_timespec* timeout);

  void reap_completions();
  void dispatch(Operation& operation, int32_t result, uint32_t flags);
  void received(Operation& operation, int32_t result, uint32_t flags, bool more);
  void sent(Operation& operation, int32_t result);
  void finish_silent_sends();
  void restart_interrupted();

  io_uring ring_{};
  unsigned enter_flags_ = 0;
  ProvidedBuffers buffers_;
  std::vector<Operation*> silent_;  // sends whose success will post no completion, in order
  size_t silent_taken_ = 0;         // how many of them the kernel has taken
  std::vector<Operation*> finished_;
  std::vector<Operation*> interrupted_;  // to be started again at the end of reap()
  std::vector<Operation*> restarting_;
};

// How each ring is set up.
inline constexpr unsigned kSetupFlags =
    IORING_SETUP_R_DISABLED | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
    IORING_SETUP_TASKRUN_FLAG | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;

// Enables `ring` (set up with IORING_SETUP_R_DISABLED) to do what KernelRing does and nothing else:
// whatever else is submitted or registered from then on ends with -EACCES. 0 or -errno.
int restrict_and_enable(io_uring& ring);

// A sentence for the errno with which `call` of io_uring (setup, register, enter) failed.
std::string why_forbidden(std::string_view call, int code);

}  // namespace fnkit::ring
