#include "fnkit/observe/record.hpp"

namespace fnkit::observe {

uint64_t RecordRing::take(std::vector<Record>& out, size_t newest) {
  const uint64_t written = written_.load(std::memory_order_acquire);
  const uint64_t from = std::max(taken_, written - std::min({written, newest, capacity_}));
  for (uint64_t number = from; number < written; ++number) {
    const Slot& slot = slots_[number % capacity_];
    if (slot.sequence.load(std::memory_order_acquire) != number + 1) continue;
    Record& record = out.emplace_back();
    // All of it, as its size may be that of another record until the sequence has been looked at.
    for (size_t i = 0; i < kWords; ++i) {
      const uint64_t word = slot.words[i].load(std::memory_order_acquire);
      std::memcpy(reinterpret_cast<char*>(&record) + i * sizeof word, &word, sizeof word);
    }
    if (slot.sequence.load(std::memory_order_relaxed) != number + 1) out.pop_back();
  }
  const uint64_t new_ones = written - taken_;
  taken_ = written;
  return new_ones;
}

}  // namespace fnkit::observe
