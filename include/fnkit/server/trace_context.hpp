// W3C trace context: the caller's trace goes on, or a new one begins.
#pragma once

#include <string>
#include <string_view>

#include "fnkit/base/random.hpp"
#include "fnkit/http/message.hpp"

namespace fnkit::server {

struct TraceContext {
  std::string trace_id;  // 32 lower-case hex digits
  bool sampled = false;
  std::string tracestate;  // empty: none

  // From `traceparent` and `tracestate` of `request`. A missing, malformed or repeated traceparent
  // begins a new trace, without the tracestate (trace-context sections 3.2 and 4.2).
  static TraceContext of(const http::Request& request, Random& random);

  // "00-<trace id>-<new span id>-<flags>".
  void append_traceparent(std::string& out, Random& random) const;
};

}  // namespace fnkit::server
