#include "fnkit/json/quote.hpp"

#include "json/scan.hpp"
#include "json/utf8.hpp"

namespace fnkit::json {
namespace {

// JSON.stringify's table (ECMA-262, QuoteJSONString).
void append_escape(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[byte >> 4];
  out += kHex[byte & 0xF];
}

// `text` is valid UTF-8.
void append_escaped(std::string& out, std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    const char* const run_end = end_of_plain_run(at, end);
    out.append(at, static_cast<size_t>(run_end - at));
    if (run_end == end) return;
    append_escape(out, *run_end);
    at = run_end + 1;
  }
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  out += '"';
  out.reserve(out.size() + text.size() + 1);
  if (utf8_is_valid(text)) {
    append_escaped(out, text);
  } else {
    while (!text.empty()) {
      const size_t valid = valid_utf8_prefix(text);
      if (valid > 0) append_escaped(out, text.substr(0, valid));
      text.remove_prefix(valid);
      if (text.empty()) break;
      out += kReplacement;
      text.remove_prefix(first_unit(text).bytes);
    }
  }
  out += '"';
}

}  // namespace fnkit::json
