#include "fnkit/coro/frame_pool.hpp"

#include <array>
#include <cstdlib>

#include "fnkit/base/check.hpp"
#include "fnkit/base/sanitizer.hpp"

namespace fnkit::coro {
namespace {

constexpr size_t kClassBytes = 64;
constexpr size_t kClasses = 64;  // frames up to 4 KiB; larger ones are malloc's

struct FreeFrame {
  FreeFrame* next;
};

struct Pool {
  std::array<FreeFrame*, kClasses> free{};
  size_t alive = 0;
  ~Pool() {
    for (FreeFrame* head : free) {
      while (head != nullptr) {
        FreeFrame* next = head->next;
        std::free(head);
        head = next;
      }
    }
  }
};
thread_local Pool pool;

size_t class_of(size_t bytes) { return (bytes + kClassBytes - 1) / kClassBytes - 1; }

}  // namespace

void* allocate_frame(size_t bytes) noexcept {
  ++pool.alive;
  const size_t size_class = class_of(bytes);
  if (size_class < kClasses && pool.free[size_class] != nullptr) {
    FreeFrame* frame = pool.free[size_class];
    pool.free[size_class] = frame->next;
    return frame;
  }
  void* frame = std::malloc(size_class < kClasses ? (size_class + 1) * kClassBytes : bytes);
  INVARIANT(frame != nullptr);
  return frame;
}

void free_frame(void* frame, size_t bytes) noexcept {
  --pool.alive;
  const size_t size_class = class_of(bytes);
  if (size_class >= kClasses || kAddressSanitizer) {
    std::free(frame);
    return;
  }
  auto* free_frame = static_cast<FreeFrame*>(frame);
  free_frame->next = pool.free[size_class];
  pool.free[size_class] = free_frame;
}

size_t frames_alive() { return pool.alive; }

}  // namespace fnkit::coro
