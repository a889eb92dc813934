// Numbers that one thread counts and any other may read.
#pragma once

#include <atomic>
#include <cstdint>

namespace fnkit {

// One writer at a time. A load and a store instead of an atomic addition: on the writer's core that
// is the same instruction as for a plain integer, and no other core ever writes to the line.
class Counter {
 public:
  void add(uint64_t more = 1) { set(get() + more); }
  void subtract(uint64_t less = 1) { set(get() - less); }
  void set(uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

}  // namespace fnkit
