// Whether bytes are JSON that may be embedded as they stand.
#pragma once

#include <cstddef>
#include <string_view>

namespace fnkit::json {

// Arrays and objects that may be open at once: `[]` is 1 deep. RFC 8259 section 9 leaves such a
// limit to us; nothing that people write comes near it.
inline constexpr size_t kDepthMax = 1024;

// True when `text` is one JSON text (RFC 8259) that JavaScript's JSON.parse would accept, in valid
// UTF-8, without a byte order mark, at most kDepthMax deep. Numbers may have any magnitude and
// length, members of an object may share a name, and escapes may name lone surrogates.
// Reads no byte beyond `text`, allocates nothing, and takes time linear in text.size().
bool is_valid(std::string_view text);

}  // namespace fnkit::json
