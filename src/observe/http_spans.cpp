#include "fnkit/observe/http_spans.hpp"

#include <algorithm>

namespace fnkit::observe {
namespace {

// RFC 9110, RFC 5789 and the draft of QUERY. Others could be any number of different ones.
bool is_known(std::string_view method) {
  static constexpr std::array<std::string_view, 10> kKnown = {
      "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"};
  return std::find(kKnown.begin(), kKnown.end(), method) != kKnown.end();
}

constexpr uint32_t kSampled = 0x01;  // W3C trace-context section 3.2.2.5

Span begin(const SpanOrigin& origin, Span::Kind kind, std::string_view method) {
  Span span;
  span.trace_id = origin.trace_id;
  span.span_id = origin.span_id;
  span.parent_span_id = origin.parent_span_id;
  span.trace_state = origin.trace_state;
  span.start_unix_nanoseconds = origin.start_unix_nanoseconds;
  span.end_unix_nanoseconds = origin.end_unix_nanoseconds;
  span.flags = kParentIsKnown | (origin.sampled ? kSampled : 0U);
  span.kind = kind;
  const bool known = is_known(method);
  span.name = known ? method : "HTTP";
  span.attributes.reserve(10);
  span.attributes.push_back({"http.request.method", std::string(known ? method : "_OTHER")});
  if (!known) span.attributes.push_back({"http.request.method_original", std::string(method)});
  return span;
}

void add(Span& span, std::string_view key, std::string_view value) {
  span.attributes.push_back({key, std::string(value)});
}

void add_status(Span& span, int status, int first_error) {
  if (status == 0) return;
  span.attributes.push_back({"http.response.status_code", int64_t{status}});
  if (status < first_error) return;
  span.failed = true;
  add(span, "error.type", std::to_string(status));
}

std::string_view error_type(NoAnswer why) {
  switch (why) {
    case NoAnswer::timeout: return "timeout";
    case NoAnswer::connect: return "connect";
    case NoAnswer::reset: return "reset";
    case NoAnswer::protocol: return "protocol";
    case NoAnswer::shed: return "shed";
    case NoAnswer::none:
    case NoAnswer::cancelled: return {};
  }
  return {};
}

}  // namespace

Span server_span(const ServedRequest& request) {
  Span span = begin(request.origin, Span::Kind::server, request.method);
  if (request.origin.parent_span_id != SpanId{}) span.flags |= kParentIsRemote;
  std::string route = "/orchestrate/";
  route += request.pipeline.empty() ? "{pipeline}" : request.pipeline;
  span.name += ' ' + route;
  add(span, "url.path", request.path);
  add(span, "url.scheme", "http");
  add(span, "http.route", route);
  add_status(span, request.status, 500);
  if (!request.pipeline.empty()) add(span, "fnkit.pipeline", request.pipeline);
  add(span, "fnkit.request_id", request.request_id);
  return span;
}

Span client_span(const CalledStep& call) {
  Span span = begin(call.origin, Span::Kind::client, call.method);
  add(span, "server.address", call.host);
  if (call.port != 0) span.attributes.push_back({"server.port", int64_t{call.port}});
  add(span, "url.full", call.url);
  add_status(span, call.status, 400);
  const std::string_view error = error_type(call.no_answer);
  if (call.status == 0 && !error.empty()) {
    span.failed = true;
    span.status_message = call.detail;
    add(span, "error.type", error);
  }
  if (call.resend_count > 0) {
    span.attributes.push_back({"http.request.resend_count", int64_t{call.resend_count}});
  }
  add(span, "fnkit.step", call.step);
  return span;
}

}  // namespace fnkit::observe
