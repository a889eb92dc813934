// Where coroutine frames come from: per-thread free lists by size, because neither g++ nor clang
// can be relied on to elide a frame's allocation.
#pragma once

#include <cstddef>

namespace fnkit::coro {

// Both noexcept: out of memory ends the process. A frame is freed on the thread that made it.
void* allocate_frame(size_t bytes) noexcept;
void free_frame(void* frame, size_t bytes) noexcept;

// Frames alive on this thread: 0 once every task has ended.
size_t frames_alive();

// For a container that lives in a frame: its memory comes from the same lists, and counts there.
template <class T>
struct FrameAllocator {
  using value_type = T;
  FrameAllocator() = default;
  template <class Other>
  FrameAllocator(const FrameAllocator<Other>&) {}
  T* allocate(size_t count) { return static_cast<T*>(allocate_frame(count * sizeof(T))); }
  void deallocate(T* memory, size_t count) noexcept { free_frame(memory, count * sizeof(T)); }
  bool operator==(const FrameAllocator&) const = default;
};

// Base of promise types, so that their frames come from the pool.
struct PooledFrame {
  static void* operator new(size_t bytes) { return allocate_frame(bytes); }
  static void operator delete(void* frame, size_t bytes) noexcept { free_frame(frame, bytes); }
};

}  // namespace fnkit::coro
