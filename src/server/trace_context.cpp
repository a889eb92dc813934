#include "fnkit/server/trace_context.hpp"

#include <algorithm>

#include "fnkit/base/text.hpp"

namespace fnkit::server {
namespace {

constexpr size_t kTracestateBytesMax = 512;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text) {
  return is_hex(text) && text.find_first_not_of('0') != std::string_view::npos;
}

// 00-<32 hex>-<16 hex>-<2 hex>; of a higher version, what its first 55 bytes say in that form.
bool read_traceparent(std::string_view text, TraceContext& context) {
  constexpr size_t kLength = 55;
  if (text.size() < kLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view version = text.substr(0, 2);
  if (!is_hex(version) || version == "ff") return false;
  if (version == "00" ? text.size() != kLength : text.size() > kLength && text[kLength] != '-') {
    return false;
  }
  const std::string_view flags = text.substr(53, 2);
  if (!is_id(text.substr(3, 32)) || !is_id(text.substr(36, 16)) || !is_hex(flags)) return false;
  context.trace_id = {read_hex16(text.substr(3)), read_hex16(text.substr(19))};
  context.parent_span_id = read_hex16(text.substr(36));
  const char last = flags[1];
  context.sampled = ((last <= '9' ? last - '0' : last - 'a' + 10) & 1) != 0;
  return true;
}

}  // namespace

TraceContext TraceContext::of(const http::Request& request, Random& random, double sample) {
  TraceContext context;
  size_t parents = 0;
  std::string_view parent;
  for (const http::HeaderField& field : request.headers) {
    if (equals_ignoring_case(field.name, "traceparent")) {
      ++parents;
      parent = trim(field.value);
    } else if (equals_ignoring_case(field.name, "tracestate")) {
      if (!context.tracestate.empty()) context.tracestate += ',';
      context.tracestate += trim(field.value);
    }
  }
  const bool continued = parents == 1 && read_traceparent(parent, context);
  if (!continued) {
    context.trace_id = {random.id(), random.id()};
    context.sampled = random.happens(sample);
  }
  context.span_id = random.id();
  if (!continued || context.tracestate.size() > kTracestateBytesMax) context.tracestate.clear();
  return context;
}

std::array<char, 55> TraceContext::traceparent(uint64_t child_span_id) const {
  std::array<char, 55> text{'0', '0', '-'};
  write_hex16(text.data() + 3, trace_id[0]);
  write_hex16(text.data() + 19, trace_id[1]);
  text[35] = '-';
  write_hex16(text.data() + 36, child_span_id);
  text[52] = '-';
  text[53] = '0';
  text[54] = sampled ? '1' : '0';
  return text;
}

}  // namespace fnkit::server
