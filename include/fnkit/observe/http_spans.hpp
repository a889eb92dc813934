// The spans of a request, by the stable HTTP semantic conventions (semantic-conventions,
// docs/http/http-spans.md). Headers, bodies and the caller's query do not get into them.
#pragma once

#include "fnkit/observe/otlp.hpp"

namespace fnkit::observe {

// What both kinds of spans are told.
struct SpanOrigin {
  TraceId trace_id{};
  SpanId span_id{};
  SpanId parent_span_id{};       // all zero: none
  std::string_view trace_state;  // W3C tracestate, as it is sent on
  bool sampled = true;
  uint64_t start_unix_nanoseconds = 0;
  uint64_t end_unix_nanoseconds = 0;
};

// A request to /orchestrate/<pipeline>, answered. The views are copied.
struct ServedRequest {
  SpanOrigin origin;          // the parent is the caller's span
  std::string_view method;    // any token
  std::string_view path;      // as the caller wrote it, without the query
  std::string_view pipeline;  // a name that exists; empty for others: those could be any number
  std::string_view request_id;
  int status = 0;  // 0: none was sent, the caller had gone
};

// SERVER span "POST /orchestrate/<pipeline>". A 5xx is an error, a 4xx is the caller's.
Span server_span(const ServedRequest& request);

// Why a step has no answer, and what error.type says then.
enum class NoAnswer : uint8_t {
  none,       // it has one
  timeout,    // "timeout": not complete in time
  connect,    // "connect": no connection could be had
  reset,      // "reset": the connection ended before the answer was complete
  protocol,   // "protocol": the answer was no acceptable HTTP
  shed,       // "shed": not sent, too much was under way
  cancelled,  // nothing: it was given up on purpose, which the conventions call no error
};

// A call of a step. The views are copied.
struct CalledStep {
  SpanOrigin origin;      // the parent is the request's span
  std::string_view step;  // its function's name
  std::string_view method;
  std::string_view host;  // or the path of a Unix socket, with port 0
  uint16_t port = 0;
  std::string_view url;  // absolute; what is secret in it (a query's values) is not to be here
  int status = 0;        // 0: no answer
  NoAnswer no_answer = NoAnswer::none;
  std::string_view detail;    // of no_answer, for a person
  unsigned resend_count = 0;  // how often it was sent again
};

// CLIENT span "POST". A 4xx, a 5xx and no answer are errors.
Span client_span(const CalledStep& call);

}  // namespace fnkit::observe
