#include "ring/provided_buffers.hpp"

#include <sys/mman.h>

#include <cerrno>
#include <utility>

namespace fnkit::ring {

int ProvidedBuffers::set_up(io_uring& ring) {
  void* memory =
      mmap(nullptr, kRingBytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  if (memory == MAP_FAILED) return -errno;
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<uint64_t>(memory);
  registration.ring_entries = kCount;
  registration.bgid = kGroup;
  if (const int r = io_uring_register_buf_ring(&ring, &registration, 0); r < 0) {
    munmap(memory, kRingBytes);
    return r;
  }
  entries_ = static_cast<io_uring_buf_ring*>(memory);
  io_uring_buf_ring_init(entries_);
  memory_ = std::make_unique<char[]>(kCount * kBytes);
  for (unsigned id = 0; id < kCount; ++id) give_back(static_cast<uint16_t>(id));
  publish();
  return 0;
}

void ProvidedBuffers::end(io_uring& ring) {
  if (entries_ == nullptr) return;
  io_uring_unregister_buf_ring(&ring, kGroup);
  munmap(entries_, kRingBytes);
}

void ProvidedBuffers::give_back(uint16_t id) {
  io_uring_buf_ring_add(entries_, &memory_[id * kBytes], kBytes, id, io_uring_buf_ring_mask(kCount),
                        static_cast<int>(given_back_++));
}

void ProvidedBuffers::publish() {
  if (given_back_ == 0) return;
  io_uring_buf_ring_advance(entries_, static_cast<int>(std::exchange(given_back_, 0U)));
}

}  // namespace fnkit::ring
