// traceparent and tracestate of any caller: a trace goes on only where the header is to the letter,
// and what goes to functions always is. A line end separates the two.
#include <algorithm>
#include <array>

#include "fnkit/base/text.hpp"
#include "fnkit/server/trace_context.hpp"
#include "fuzz/fuzz.hpp"

namespace fnkit::fuzz {
namespace {

// trace-context section 3.2.2; a version beyond 00 may have more behind.
bool is_traceparent(std::string_view text) {
  constexpr std::string_view kForm = "00-00000000000000000000000000000000-0000000000000000-00";
  if (text.size() < kForm.size() || text.starts_with("ff")) return false;
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = is_digit(text[i]) || (text[i] >= 'a' && text[i] <= 'f');
    if (kForm[i] == '-' ? text[i] != '-' : !digit) return false;
  }
  const bool known = text.starts_with("00");
  if (text.size() > kForm.size() && (known || text[kForm.size()] != '-')) return false;
  const auto is_id = [](std::string_view id) { return id.find_first_not_of('0') != id.npos; };
  return is_id(text.substr(3, 32)) && is_id(text.substr(36, 16));
}

}  // namespace
}  // namespace fnkit::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fnkit;
  const std::string_view text = fuzz::text_of(data, size);
  const size_t line = std::min(text.find('\n'), text.size());
  const std::string_view parent = trim(text.substr(0, line));
  const std::string_view state = text.substr(std::min(line + 1, text.size()));
  const std::array<http::HeaderField, 2> fields = {
      {{"traceparent", parent}, {"tracestate", state}}};
  http::Request request;
  request.headers = fields;
  Random random(1);
  const server::TraceContext trace = server::TraceContext::of(request, random, 0.5);
  const bool goes_on = trace.parent_span_id != 0;
  fuzz::require(goes_on == fuzz::is_traceparent(parent),
                "a trace goes on that none began, or begins anew");
  fuzz::require(goes_on || trace.tracestate.empty(), "a state without its trace");
  const std::array<char, 55> ours = trace.traceparent(7);
  fuzz::require(fuzz::is_traceparent({ours.data(), ours.size()}), "ours is not to the letter");
  return 0;
}
