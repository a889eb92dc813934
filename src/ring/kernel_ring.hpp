// The ring over io_uring.
#pragma once

#include <liburing.h>

#include <memory>
#include <vector>

#include "fnkit/ring/ring.hpp"

namespace fnkit::ring {

class KernelRing final : public Ring {
 public:
  KernelRing();
  ~KernelRing() override;

  // 0 or -errno. Once, on the thread that will use the ring, before anything else.
  int set_up();

  Result<int> open_socket(int family) override;
  Unread unread(int fd) override;
  void shut_down_sending(int fd) override;
  void close(int fd) override;

 private:
  void start(Operation& operation) override;
  void stop(Operation& operation) override;
  void wait(Instant until) override;
  Instant read_clock() override;
  void reap() override;

  int set_up_buffers();
  static size_t buffer_ring_bytes();
  void give_back(uint16_t id);
  void publish_buffers();

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
  io_uring_buf_ring* buffer_ring_ = nullptr;
  std::unique_ptr<char[]> buffers_;
  unsigned given_back_ = 0;         // buffers added to the buffer ring and not yet published
  std::vector<Operation*> silent_;  // sends whose success will post no completion, in order
  size_t silent_taken_ = 0;         // how many of them the kernel has taken
  std::vector<Operation*> finished_;
  std::vector<Operation*> interrupted_;  // to be started again at the end of reap()
  std::vector<Operation*> restarting_;
};

// A sentence for the errno with which io_uring could not be set up.
std::string why_forbidden(int code);

}  // namespace fnkit::ring
