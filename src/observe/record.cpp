#include "fnkit/observe/record.hpp"

namespace fnkit::observe {

std::vector<const Record*> by_end(const std::vector<Record>& records) {
  std::vector<const Record*> order;
  order.reserve(records.size());
  for (const Record& record : records) order.push_back(&record);
  std::sort(order.begin(), order.end(), [](const Record* a, const Record* b) {
    const Instant a_ends = a->began + a->took;
    const Instant b_ends = b->began + b->took;
    return a_ends != b_ends ? a_ends < b_ends : a < b;
  });
  return order;
}

void RecordRing::read(const Slot& slot, Record& record, size_t from, size_t to) {
  for (size_t i = from; i < to; ++i) {
    const uint64_t word = slot.words[i].load(std::memory_order_acquire);
    std::memcpy(reinterpret_cast<char*>(&record) + i * sizeof word, &word, sizeof word);
  }
}

uint64_t RecordRing::take(std::vector<Record>& out, size_t newest) {
  const uint64_t written = written_.load(std::memory_order_acquire);
  const uint64_t from = std::max(taken_, written - std::min({written, newest, capacity_}));
  for (uint64_t number = from; number < written; ++number) {
    const Slot& slot = slots_[number % capacity_];
    if (slot.sequence.load(std::memory_order_acquire) != number + 1) continue;
    Record& record = out.emplace_back();
    constexpr size_t kHead = (offsetof(Record, text) + sizeof(uint64_t) - 1) / sizeof(uint64_t);
    read(slot, record, 0, kHead);
    read(slot, record, kHead, std::min(words_of(record), kWords));  // its size may be another's
    if (slot.sequence.load(std::memory_order_relaxed) != number + 1) out.pop_back();
  }
  const uint64_t new_ones = written - taken_;
  taken_ = written;
  return new_ones;
}

}  // namespace fnkit::observe
