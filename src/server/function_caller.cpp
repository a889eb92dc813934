#include "server/function_caller.hpp"

#include <algorithm>
#include <array>

#include "fnkit/base/text.hpp"

namespace fnkit::server {
namespace {

constexpr size_t kContentTypeBytesMax = 1024;

// A function's Content-Type goes on to callers and functions, so it must be safe to repeat.
bool is_repeatable(std::string_view content_type) {
  return content_type.size() <= kContentTypeBytesMax &&
         std::all_of(content_type.begin(), content_type.end(),
                     [](char c) { return c >= ' ' && c < 0x7f; });
}

int status_of(http::CallError::Kind kind) {
  switch (kind) {
    case http::CallError::Kind::timeout:
    case http::CallError::Kind::no_connection:
    case http::CallError::Kind::not_read: return 504;
    case http::CallError::Kind::too_many_waiting:
    case http::CallError::Kind::too_much_held: return 503;
    case http::CallError::Kind::unreachable:
    case http::CallError::Kind::broken:
    case http::CallError::Kind::protocol:
    case http::CallError::Kind::cancelled: return 502;
  }
  return 502;
}

observe::Cause cause_of(http::CallError::Kind kind) {
  using Kind = http::CallError::Kind;
  using observe::Cause;
  switch (kind) {
    case Kind::unreachable:
    case Kind::no_connection: return Cause::connect;
    case Kind::broken: return Cause::reset;
    case Kind::protocol: return Cause::protocol;
    case Kind::timeout:
    case Kind::not_read: return Cause::timeout;
    case Kind::too_many_waiting:
    case Kind::too_much_held: return Cause::shed;
    case Kind::cancelled: return Cause::cancelled;
  }
  return Cause::protocol;
}

pipeline::StepError to_step_error(const std::string& function, http::CallError error) {
  pipeline::StepError step_error;
  step_error.step = function;
  step_error.status = status_of(error.kind);
  step_error.detail = std::move(error.detail);
  step_error.cancelled = error.kind == http::CallError::Kind::cancelled;
  return step_error;
}

}  // namespace

FunctionCaller::FunctionCaller(Calling& calling, const http::Request& request, const Route& route,
                               const TraceContext& trace, observe::Run& run)
    : calling_(calling),
      request_(request),
      route_(route),
      orchestrators_before_(orchestrators_before(request)),
      trace_(trace),
      run_(run) {}

coro::Task<Result<pipeline::Output, pipeline::StepError>> FunctionCaller::call(
    const pipeline::Call& call, const pipeline::Payload& input, Instant deadline,
    coro::CancelScope& scope) {
  const FunctionDirectory::Function& to = calling_.functions.find(call.function);
  const std::string_view method = input.body.bytes.empty() ? request_.method : "POST";
  observe::StepNote& note =
      run_.begin(*to.series, method, calling_.ring.now(), calling_.random.id());
  http::RequestWriter writer;
  http::OutgoingRequest request;
  request.head = write_head(writer, to, method, input, note.span_id);
  request.body = input.body.bytes;
  request.is_head = method == "HEAD";
  request.may_repeat = call.idempotent || is_idempotent(method);
  request.may_share = call.may_share;
  request.continues = answered_;
  const Instant step_deadline = later(calling_.ring.now(), calling_.settings.step_timeout);
  const Instant until = std::min(deadline, step_deadline);
  http::CallResult answer = co_await calling_.pool.call(*to.upstream, request, until, scope);
  if (!answer) {
    http::CallError& error = answer.error();
    const bool step_is_first = step_deadline <= deadline;
    error.detail += tell_limit(calling_, error.kind, step_is_first);
    run_.not_answered(note, calling_.ring.now(), cause_of(error.kind), status_of(error.kind),
                      error.detail);
    co_return to_step_error(call.function, std::move(error));
  }
  answered_ = true;
  run_.answered(note, calling_.ring.now(), answer->status, answer->body.bytes);
  pipeline::Output output;
  output.status = answer->status;
  output.payload.body = std::move(answer->body);
  if (is_repeatable(answer->content_type)) output.payload.content_type = answer->content_type;
  output.payload.content_encoding = answer->content_encoding;
  co_return output;
}

// CONTRACT section 3: these headers and no others.
std::string_view FunctionCaller::write_head(http::RequestWriter& writer,
                                            const FunctionDirectory::Function& to,
                                            std::string_view method, const pipeline::Payload& input,
                                            uint64_t span_id) {
  std::string path = to.path;
  path += route_.step_path.empty() ? std::string_view("/") : route_.step_path;
  writer.begin(method, path, route_.step_query, to.authority);
  writer.field("accept", "application/json");
  writer.field("content-type", input.content_type.empty() ? std::string_view("application/json")
                                                          : input.content_type);
  if (!input.content_encoding.empty()) writer.field("content-encoding", input.content_encoding);
  writer.field("x-request-id", request_.request_id);
  const std::array<char, 55> traceparent = trace_.traceparent(span_id);
  writer.field("traceparent", {traceparent.data(), traceparent.size()});
  for (size_t i = 0; i <= orchestrators_before_; ++i) writer.field("via", kVia);
  if (!trace_.tracestate.empty()) writer.field("tracestate", trace_.tracestate);
  for (const std::string& name : calling_.settings.forward_headers) {
    for (const http::HeaderField& field : request_.headers) {
      if (equals_ignoring_case(field.name, name)) writer.field(name, field.value);
    }
  }
  return writer.end(method, input.body.bytes.size());
}

}  // namespace fnkit::server
