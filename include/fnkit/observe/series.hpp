// What is counted on one core: of each pipeline, of each step, of what was refused.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "fnkit/base/roster.hpp"
#include "fnkit/observe/histogram.hpp"

namespace fnkit::observe {

// How a call of a step ended, or whose fault it was: the `cause` of a failure in metrics and
// traces.
enum class Cause : uint8_t {
  none,       // answered 200-299
  connect,    // no connection could be had
  timeout,    // too late
  reset,      // the connection ended before the answer was complete
  protocol,   // the answer cannot be used
  status,     // answered, but not 200-299
  shed,       // we had no room for the call
  cancelled,  // given up because its result was no longer wanted; no failure
};
inline constexpr size_t kCauses = static_cast<size_t>(Cause::cancelled) + 1;
// "connect" and so on.
std::string_view name_of(Cause cause);

// Which limit a request or a call ran into; named as the flag that sets it.
enum class Limit : uint8_t {
  body_max,
  connect_timeout,
  connections_max,
  head_max,
  head_timeout,
  body_timeout,
  held_max,
  pipeline_timeout,
  requests_max,
  step_timeout,
  step_waiting_max,
  target_max,
  write_timeout,
};
inline constexpr size_t kLimits = static_cast<size_t>(Limit::write_timeout) + 1;
std::string_view name_of(Limit limit);

// Written by one worker, read by the control thread; so are all below.
struct StepSeries {
  explicit StepSeries(std::string_view step) : name(step) {}

  const std::string name;
  std::array<Counter, kCauses> ended;  // calls, by Cause
  Histogram latency;                   // of those that were not cancelled
  Counter last_ended;                  // Instant of the last that was not cancelled, nanoseconds
  Counter last_failed;                 // 1: that one failed with 500 or more, or without an answer
};

struct PipelineSeries {
  explicit PipelineSeries(std::string_view pipeline) : name(pipeline) {}

  const std::string name;
  std::array<Counter, 6> answered;  // runs, by the first digit of the status
  Counter failed;                   // of these, runs that a step's failure ended
  Counter cancelled;                // runs whose caller left
  Counter in_progress;
  Histogram latency;  // of those that were answered
};

struct CoreSeries {
  Roster<StepSeries> steps;
  Roster<PipelineSeries> pipelines;
  // Requests that were answered without running a pipeline, by status.
  static constexpr size_t kStatuses = 600;
  std::array<Counter, kStatuses> unrouted;
  std::array<Counter, kLimits> limits;
  Counter requests;  // all
  Counter in_progress;
  Counter connections;  // callers', open now

  void hit(Limit limit) { limits[static_cast<size_t>(limit)].add(); }
};

}  // namespace fnkit::observe
