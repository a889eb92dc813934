// W3C trace context: the caller's trace goes on, or a new one begins.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "fnkit/base/random.hpp"
#include "fnkit/http/message.hpp"

namespace fnkit::server {

struct TraceContext {
  std::array<uint64_t, 2> trace_id{};
  uint64_t span_id = 0;         // the request's own: a child of the caller's, parent of the steps'
  uint64_t parent_span_id = 0;  // the caller's; 0: the trace begins here
  bool sampled = false;
  std::string tracestate;  // empty: none

  // From `traceparent` and `tracestate` of `request`. A missing, malformed or repeated traceparent
  // begins a new trace, without the tracestate (trace-context sections 3.2 and 4.2), sampled with
  // the probability `sample`; a trace that goes on keeps its flag.
  static TraceContext of(const http::Request& request, Random& random, double sample);

  // "00-<trace id>-<span id>-<flags>", for a child of the request's span.
  std::array<char, 55> traceparent(uint64_t child_span_id) const;
};

}  // namespace fnkit::server
