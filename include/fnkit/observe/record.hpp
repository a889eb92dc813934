// What a core writes down of each step and each run, and how another thread reads it.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

#include "fnkit/observe/series.hpp"

namespace fnkit::observe {

// One step's call, one run of a pipeline, or one request that ran none. Copied as words. The texts
// stand behind each other in `text`, in the order of Part, each cut to what is kept of it.
struct Record {
  enum class Kind : uint8_t { step, run, unrouted };
  enum class Part : uint8_t { request_id, caller, method, path, preview, error };
  static constexpr size_t kParts = 6;
  static constexpr std::array<uint8_t, kParts> kPartMax = {64, 48, 16, 100, 120, 120};

  Instant began{};
  Duration took{};
  const StepSeries* step = nullptr;          // of a step
  const PipelineSeries* pipeline = nullptr;  // of a step and of a run
  std::array<char, 32> trace_id{};           // lower-case hex digits
  uint64_t span_id = 0;
  uint64_t parent_span_id = 0;  // 0: none
  uint16_t status = 0;          // 499: the caller left
  Kind kind = Kind::run;
  Cause cause = Cause::none;
  bool preview_cut = false;  // there is more of what `preview` begins
  std::array<uint8_t, kParts> sizes{};
  uint16_t text_size = 0;
  std::array<char, 468> text;  // bytes behind text_size mean nothing

  // `part` follows; those in between are empty.
  void add(Part part, std::string_view value) {
    const auto index = static_cast<size_t>(part);
    const size_t size = std::min<size_t>(value.size(), kPartMax[index]);
    std::copy_n(value.begin(), size, text.begin() + text_size);
    sizes[index] = static_cast<uint8_t>(size);
    text_size = static_cast<uint16_t>(text_size + size);
  }
  // Takes back `part` and what follows it.
  void cut_from(Part part) {
    text_size = static_cast<uint16_t>(offset(part));
    for (size_t i = static_cast<size_t>(part); i < kParts; ++i) sizes[i] = 0;
  }
  std::string_view part(Part wanted) const {
    return {text.data() + offset(wanted), sizes[static_cast<size_t>(wanted)]};
  }

 private:
  size_t offset(Part part) const {
    size_t at = 0;
    for (size_t i = 0; i < static_cast<size_t>(part); ++i) at += sizes[i];
    return at;
  }
};

// As if each were told when it is over.
inline bool ended_before(const Record& a, const Record& b) {
  return a.began + a.took < b.began + b.took;
}

// The newest records of one core: the writer never waits and never fails, it writes over the
// oldest. One thread writes, one reads. The reader finds out which records were written over
// meanwhile: each slot is a sequence lock (Boehm, "Can seqlocks get along with programming language
// memory models?", 2012), with ordered accesses to its words instead of fences, which the thread
// sanitizer cannot see. On x86 all of these are plain moves.
class RecordRing {
 public:
  explicit RecordRing(size_t capacity) : capacity_(capacity), slots_(new Slot[capacity]) {}

  void write(const Record& record) {
    Slot& slot = slots_[written_local_ % capacity_];
    slot.sequence.store(kWriting, std::memory_order_relaxed);
    const size_t bytes = offsetof(Record, text) + record.text_size;
    for (size_t i = 0; i * sizeof(uint64_t) < bytes; ++i) {
      uint64_t word = 0;
      std::memcpy(&word, reinterpret_cast<const char*>(&record) + i * sizeof word, sizeof word);
      slot.words[i].store(word, std::memory_order_release);
    }
    slot.sequence.store(++written_local_, std::memory_order_release);
    written_.store(written_local_, std::memory_order_release);
  }

  // Appends to `out` what was written since the last take() and is still there, oldest first, at
  // most the `newest` last ones. Yields how many there were.
  uint64_t take(std::vector<Record>& out, size_t newest);

 private:
  static_assert(std::is_trivially_copyable_v<Record>);
  static constexpr size_t kWords = (sizeof(Record) + 7) / 8;
  static constexpr uint64_t kWriting = ~uint64_t{0};
  struct Slot {
    std::atomic<uint64_t> sequence = 0;  // how many had been written with this one
    std::array<std::atomic<uint64_t>, kWords> words{};
  };

  const size_t capacity_;
  const std::unique_ptr<Slot[]> slots_;
  uint64_t written_local_ = 0;
  std::atomic<uint64_t> written_ = 0;
  uint64_t taken_ = 0;
};

}  // namespace fnkit::observe
