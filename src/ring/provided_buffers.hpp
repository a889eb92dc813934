// Memory that the kernel takes from when bytes arrive: io_uring_register_buf_ring(3).
#pragma once

#include <liburing.h>

#include <memory>
#include <string_view>

namespace fnkit::ring {

// A buffer belongs to the kernel until a completion names it, and again once it was given back and
// publish() was called. One thread.
class ProvidedBuffers {
 public:
  // As many as are touched in rotation without leaving the L2 cache.
  static constexpr unsigned kCount = 256;
  static constexpr uint16_t kGroup = 0;

  // Registers all of them with `ring`. 0 or -errno.
  int set_up(io_uring& ring);
  // Before `ring` ends.
  void end(io_uring& ring);

  // The first `size` bytes of a buffer that the kernel has filled.
  std::string_view filled(uint16_t id, size_t size) const { return {&memory_[id * kBytes], size}; }
  void give_back(uint16_t id);
  void publish();

 private:
  static constexpr size_t kBytes = 4096;
  static constexpr size_t kRingBytes = kCount * sizeof(io_uring_buf);
  static_assert((kCount & (kCount - 1)) == 0, "the kernel wants a power of two");

  io_uring_buf_ring* entries_ = nullptr;
  std::unique_ptr<char[]> memory_;
  unsigned given_back_ = 0;  // and not yet published
};

}  // namespace fnkit::ring
