// The events of the program: what becomes of log_event() while it serves.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fnkit/base/log.hpp"
#include "fnkit/base/time.hpp"
#include "fnkit/observe/log_writer.hpp"

namespace fnkit::observe {

// Sums up what repeats, gives the lines to a LogWriter, and keeps them as the reference's
// JSON events, to be shown and to be written to the store.
//
// A kind is a level and a message. In no second a kind gets more than kLinesMax lines: nine as they
// are, then all that follow within a second become one with `repeated=<how many>` and the last
// one's source and fields. The sum of `repeated` and of the lines without is what happened.
//
// An event is {"timestamp":"…Z","level":"…","source":"…","message":"…"[,"detail":"…"]}: RFC 3339
// in UTC with milliseconds; detail is the field of that name, and behind it all others as key=value
// in logfmt. Valid JSON and UTF-8, whatever bytes came. Values are cut to kValueBytesMax.
//
// Any thread; nothing here waits for more than another call.
class Journal final : public LogSink {
 public:
  static constexpr size_t kLinesMax = 10;
  static constexpr size_t kKindsMax = 256;    // then the one that was silent for longest goes
  static constexpr size_t kEventsMax = 1000;  // each of those to be shown and those to be flushed
  static constexpr size_t kValueBytesMax = 1024;

  explicit Journal(LogWriter& writer) : writer_(writer) {}
  ~Journal() override;  // sums up what is left
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // As write_at, now.
  void write(LogLevel level, std::string_view source, std::string_view message,
             std::span<const LogField> fields) override;
  void write_at(Instant now, LogLevel level, std::string_view source, std::string_view message,
                std::span<const LogField> fields);

  // Sums up what has been held back for a second; to be called some times a second.
  void tick(Instant now);

  // Sums up all at once and waits for the writer, LogWriter::kPatience at most.
  void flush() override;

  // The newest `count` events, at most kEventsMax; the newest first.
  std::vector<std::string> recent(size_t count) const;

  // The events since the last take, the oldest first; they are the caller's from then on. The
  // newest kEventsMax are kept for it.
  std::vector<std::string> take_pending();

  uint64_t recorded() const;  // events ever
  uint64_t dropped() const;   // those that no take_pending() got in time

 private:
  struct Field {
    std::string key;
    std::string value;
  };
  struct Kind {
    Kind() { lines.fill(Instant::min()); }
    std::array<Instant, kLinesMax - 1> lines;  // when those as they are were written, a ring
    size_t oldest_line = 0;
    Instant last;
    uint64_t held = 0;
    Instant held_since;
    std::string source;  // of the last one held
    std::vector<Field> fields;
  };
  using Kinds = std::map<std::pair<LogLevel, std::string>, Kind>;

  Kinds::iterator find(LogLevel level, std::string_view message);
  void sum_up(Kinds::value_type& kind);
  void record(LogLevel level, std::string_view source, std::string_view message,
              std::span<const LogField> fields);

  LogWriter& writer_;
  mutable std::mutex mutex_;
  Kinds kinds_;
  std::deque<std::string> recent_;   // the oldest first
  std::deque<std::string> pending_;  // the oldest first
  uint64_t recorded_ = 0;
  uint64_t dropped_ = 0;
};

}  // namespace fnkit::observe
