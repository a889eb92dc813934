// What one flush brings to the store: one command, in effect exactly once.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "fnkit/observe/journal.hpp"
#include "fnkit/observe/totals.hpp"
#include "fnkit/observe/trace_log.hpp"
#include "fnkit/valkey/reply.hpp"

namespace fnkit::observe {

// The keys of CONTRACT section 6.
inline constexpr std::string_view kTracesKey = "fnkit:traces";
inline constexpr std::string_view kEventsKey = "fnkit:events";
inline constexpr std::string_view kMetricsPrefix = "fnkit:metrics:";
inline constexpr std::string_view kStartedKey = "fnkit:observe:started";

// {"requests":…,"errors":…,"last_active":…,"status":…}
struct StepActivity {
  uint64_t requests = 0;
  uint64_t errors = 0;
  std::string last_active;  // ISO 8601
  bool failed = false;      // the last one
};
std::string to_metrics_json(const StepActivity& activity);
StepActivity activity_of(const StepTotal& step, const WallClock& clock);

struct Batch {
  uint64_t number = 0;                        // of this instance's batches
  std::string started;                        // empty: has been told
  std::vector<std::string> traces;            // JSON, oldest first
  std::vector<std::string> events;            // the same
  std::map<std::string, StepActivity> steps;  // what is to be added, by step

  bool empty() const {
    return started.empty() && traces.empty() && events.empty() && steps.empty();
  }
  // There may have been more than the lists keep.
  bool full() const {
    return traces.size() >= TraceLog::kNewest || events.size() >= Journal::kEventsMax;
  }
  // A script that makes all of it in one go, unless it has been made: the server knows the number
  // of the last batch of `instance` (for an hour), so a batch whose reply was lost can be sent
  // again. Counters are added to what is there, so those of several instances add up. Its reply is
  // an array of what could not be done, as the server says it.
  valkey::Command to_command(const std::string& instance) &&;
};

// Which part of the steps' totals has been put into a batch already.
class Flushed {
 public:
  // What has been added since the last time, and is now taken.
  std::map<std::string, StepActivity> take(const Totals& totals, const WallClock& clock);

 private:
  struct Seen {
    uint64_t requests = 0;
    uint64_t errors = 0;
  };
  std::map<std::string, Seen, std::less<>> seen_;
};

}  // namespace fnkit::observe
