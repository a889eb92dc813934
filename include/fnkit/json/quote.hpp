// Any bytes as a JSON string: how text that is not JSON gets into a JSON answer.
#pragma once

#include <string>
#include <string_view>

namespace fnkit::json {

// Appends `text` to `out` as a JSON string with its quotes (RFC 8259 section 7): the bytes that
// JavaScript's JSON.stringify(await response.text()) gives.
// - `text` may hold any bytes. Each maximal subpart of an ill-formed UTF-8 sequence becomes one
//   U+FFFD, and one byte order mark at the very beginning is dropped (WHATWG Encoding, "UTF-8
//   decode").
// - Escaped are `"`, `\` and the control characters below U+0020, nothing else: DEL, `/`, U+2028
//   and U+2029 stand as they are.
// Appends 2 bytes at least and 6 * text.size() + 2 at most. `text` must not be a view into `out`.
void append_quoted(std::string& out, std::string_view text);

}  // namespace fnkit::json
