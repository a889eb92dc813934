// Spans, and as what they leave: an ExportTraceServiceRequest of OpenTelemetry's protocol in JSON
// (opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding").
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fnkit::observe {

using TraceId = std::array<uint8_t, 16>;
using SpanId = std::array<uint8_t, 8>;

// The bytes of an id: `hex` is twice as many hex digits, `id` gets them.
void read_id(std::string_view hex, std::span<uint8_t> id);

struct Attribute {
  std::string_view key;  // a literal
  std::variant<std::string, int64_t> value;
};

// Plain data that owns what it holds: made on one thread, exported on another. Strings may have any
// bytes; what is no UTF-8 leaves as U+FFFD.
struct Span {
  enum class Kind : uint8_t { server = 2, client = 3 };  // SpanKind's numbers

  TraceId trace_id{};
  SpanId span_id{};
  SpanId parent_span_id{};  // all zero: none
  Kind kind = Kind::server;
  std::string name;
  uint64_t start_unix_nanoseconds = 0;
  uint64_t end_unix_nanoseconds = 0;  // not before the start
  std::vector<Attribute> attributes;  // no key twice
  bool failed = false;                // STATUS_CODE_ERROR; else the status is unset
  std::string status_message;         // why it failed, where no attribute says it
  std::string trace_state;            // W3C tracestate
  uint32_t flags = 0;                 // SpanFlags: W3C's trace flags, kParentIsKnown, …
};

// SpanFlags: whether the parent is in another process is known; it is.
inline constexpr uint32_t kParentIsKnown = 0x100;
inline constexpr uint32_t kParentIsRemote = 0x200;

// Who exports: the same for all spans of a process. Empty or 0: not known, and left out.
struct Resource {
  std::string service_version;
  std::string instance_id;  // of this process among those of its name
  std::string host_name;
  int64_t process_id = 0;
};

// `spans` of service fnkit-orchestrator. Some 0.7 KB a span.
std::string to_otlp_json(std::span<const Span> spans, const Resource& resource);

}  // namespace fnkit::observe
