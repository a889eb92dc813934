#include "server/record_spans.hpp"

#include "fnkit/observe/http_spans.hpp"
#include "server/function_directory.hpp"

namespace fnkit::server {
namespace {

using observe::Cause;
using observe::NoAnswer;
using observe::Record;
using Part = Record::Part;

void write_id(uint64_t bits, uint8_t* to) {
  for (int shift = 56; shift >= 0; shift -= 8) *to++ = static_cast<uint8_t>(bits >> shift);
}

NoAnswer no_answer_of(Cause cause) {
  switch (cause) {
    case Cause::none:
    case Cause::status: return NoAnswer::none;
    case Cause::connect: return NoAnswer::connect;
    case Cause::timeout: return NoAnswer::timeout;
    case Cause::reset: return NoAnswer::reset;
    case Cause::protocol: return NoAnswer::protocol;
    case Cause::shed: return NoAnswer::shed;
    case Cause::cancelled: return NoAnswer::cancelled;
  }
  return NoAnswer::none;
}

observe::SpanOrigin origin_of(const Record& record, const observe::WallClock& clock) {
  observe::SpanOrigin origin;
  write_id(record.trace_id[0], origin.trace_id.data());
  write_id(record.trace_id[1], origin.trace_id.data() + 8);
  write_id(record.spans().id, origin.span_id.data());
  write_id(record.spans().parent_id, origin.parent_span_id.data());
  origin.start_unix_nanoseconds = clock.unix_nanoseconds(record.began);
  origin.end_unix_nanoseconds = clock.unix_nanoseconds(record.began + record.took);
  return origin;
}

observe::Span step_span(const Record& record, const Settings& settings,
                        const observe::SpanOrigin& origin) {
  const http::Endpoint endpoint = endpoint_of(settings, record.step->name);
  const StepUrl::Target target = settings.step_url.target_of(record.step->name);
  const std::string_view suffix = record.part(Part::path);
  const std::string url =
      "http://" + target.authority + target.path + (suffix.empty() ? "/" : std::string(suffix));
  const std::string address = endpoint.address ? endpoint.address->to_text() : endpoint.host;
  observe::CalledStep call;
  call.origin = origin;
  call.step = record.step->name;
  call.method = record.part(Part::method);
  call.host = address;
  call.port = endpoint.port;
  call.url = url;
  call.no_answer = no_answer_of(record.cause);
  call.status = call.no_answer == NoAnswer::none ? record.status : 0;
  call.detail = record.part(Part::error);
  return observe::client_span(call);
}

}  // namespace

observe::Span span_of(const Record& record, const Settings& settings,
                      const observe::WallClock& clock) {
  const observe::SpanOrigin origin = origin_of(record, clock);
  if (record.kind == Record::Kind::step) return step_span(record, settings, origin);
  observe::ServedRequest request;
  request.origin = origin;
  request.method = record.part(Part::method);
  request.path = record.part(Part::path);
  request.pipeline = record.pipeline->name;
  request.request_id = record.part(Part::request_id);
  request.status = record.cause == Cause::cancelled ? 0 : record.status;
  return observe::server_span(request);
}

}  // namespace fnkit::server
