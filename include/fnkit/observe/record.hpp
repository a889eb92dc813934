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

// nginx's status for a request whose caller did not wait.
inline constexpr uint16_t kCallerLeft = 499;

// One step's call, one run of a pipeline, or one request that ran none. Copied as words. The texts
// stand behind each other in `text`, in the order of Part, each cut to what is kept of it.
struct Record {
  enum class Kind : uint8_t { step, run, unrouted };
  enum class Part : uint8_t { method, path, preview, error, request_id, caller, spans };
  static constexpr size_t kParts = 7;
  static constexpr std::array<uint8_t, kParts> kPartMax = {16, 100, 120, 120, 64, 48, 16};

  Instant began{};
  Duration took{};
  const StepSeries* step = nullptr;          // of a step
  const PipelineSeries* pipeline = nullptr;  // of a step and of a run
  std::array<uint64_t, 2> trace_id{};
  uint16_t status = 0;
  Kind kind = Kind::run;
  Cause cause = Cause::none;
  bool preview_cut = false;  // there is more of what `preview` begins
  std::array<uint8_t, kParts> sizes{};
  uint16_t text_size = 0;
  std::array<char, 484> text;  // bytes behind text_size mean nothing

  // `part` follows, or goes on; those in between are empty.
  void add(Part part, std::string_view value) {
    uint8_t& its_size = sizes[static_cast<size_t>(part)];
    const size_t room = kPartMax[static_cast<size_t>(part)] - size_t{its_size};
    const size_t size = std::min(value.size(), room);
    std::copy_n(value.begin(), size, text.begin() + text_size);
    its_size = static_cast<uint8_t>(its_size + size);
    text_size = static_cast<uint16_t>(text_size + size);
  }
  void clear_text() {
    text_size = 0;
    sizes = {};
  }
  std::string_view part(Part wanted) const {
    return {text.data() + offset(wanted), sizes[static_cast<size_t>(wanted)]};
  }

  // Part::spans: of those that are to be exported.
  struct Spans {
    uint64_t id = 0;
    uint64_t parent_id = 0;  // 0: none
  };
  void add(const Spans& spans) {
    add(Part::spans, {reinterpret_cast<const char*>(&spans), sizeof spans});
  }
  Spans spans() const {
    Spans spans;
    part(Part::spans).copy(reinterpret_cast<char*>(&spans), sizeof spans);
    return spans;
  }

 private:
  size_t offset(Part part) const {
    size_t at = 0;
    for (size_t i = 0; i < static_cast<size_t>(part); ++i) at += sizes[i];
    return at;
  }
};

// In the order of their ends, as if each were told when it is over; where these are the same, as
// they stand in `records`, which must outlive it.
std::vector<const Record*> by_end(const std::vector<Record>& records);

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
    const size_t words = words_of(record);
    for (size_t i = 0; i < words; ++i) {
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
  static_assert(std::is_trivially_copyable_v<Record> && offsetof(Record, text) <= 64);
  // So many words of a record mean something.
  static size_t words_of(const Record& record) {
    return (offsetof(Record, text) + record.text_size + sizeof(uint64_t) - 1) / sizeof(uint64_t);
  }
  static constexpr size_t kWords = (sizeof(Record) + 7) / 8;
  static constexpr uint64_t kWriting = ~uint64_t{0};
  // Most records fill two lines of the cache: each costs a core that writes many what a line costs.
  struct alignas(64) Slot {
    std::atomic<uint64_t> sequence = 0;  // how many had been written with this one
    std::array<std::atomic<uint64_t>, kWords> words{};
  };

  static void read(const Slot& slot, Record& record, size_t from, size_t to);

  const size_t capacity_;
  const std::unique_ptr<Slot[]> slots_;
  uint64_t written_local_ = 0;
  std::atomic<uint64_t> written_ = 0;
  uint64_t taken_ = 0;
};

}  // namespace fnkit::observe
