// The newest traces of all cores, in the reference's shape.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fnkit/observe/recorder.hpp"

namespace fnkit::observe {

// An Instant as a date: "2026-11-25T15:42:05.123Z" (ISO 8601).
class WallClock {
 public:
  // `offset`: what to add to an Instant for the time since 1970.
  explicit WallClock(Duration offset) : offset_(offset) {}
  static WallClock of_system();

  std::string iso(Instant instant) const;
  void append_iso(std::string& out, Instant instant) const;
  uint64_t unix_nanoseconds(Instant instant) const {
    return static_cast<uint64_t>((instant.time_since_epoch() + offset_).count());
  }

 private:
  Duration offset_;
};

// A trace's id as 32 lower-case hex digits.
std::string trace_id_of(const Record& record);

// {"timestamp":…,"method":…,"path":…,"container":…,"status":…,"latency_ms":…,"preview":…,
// "trace_id":…[,"error":…]}; CONTRACT section 6.
std::string to_trace_json(const Record& record, const WallClock& clock);

// One thread: the control thread's.
class TraceLog {
 public:
  static constexpr size_t kNewest = 1000;

  TraceLog() : newest_(kNewest) {}

  // Takes over what the cores have written since the last time.
  void collect(std::span<Recorder* const> cores);

  // The newest ones, at most `count`, newest first, as JSON.
  std::vector<std::string> newest(size_t count, const WallClock& clock) const;

  // Those that have not been taken yet, oldest first: at most kNewest, until the next take(). What
  // was collected besides has been dropped.
  std::span<const Record> take();

  uint64_t recorded() const { return recorded_; }
  uint64_t waiting() const { return waiting_; }  // for the next take()
  uint64_t taken() const { return taken_; }
  uint64_t dropped() const { return recorded_ - taken_ - waiting_; }

 private:
  // The one of `age` 0 is the newest.
  const Record& kept(size_t age) const { return newest_[(end_ + kNewest - 1 - age) % kNewest]; }

  std::vector<Record> newest_;  // a ring of kNewest, the next one goes to end_
  size_t end_ = 0;
  size_t count_ = 0;
  std::vector<Record> collected_;
  std::vector<Record> taken_records_;
  uint64_t recorded_ = 0;
  uint64_t waiting_ = 0;
  uint64_t taken_ = 0;
};

}  // namespace fnkit::observe
