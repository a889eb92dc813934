// Telling something to whoever may listen, without waiting for anybody.
#pragma once

#include <string_view>

namespace fnkit::net {

// Whether `path` can be a Unix socket's: absolute, or abstract with '@' for the NUL (unix(7)).
bool is_unix_path(std::string_view path);

// `bytes` as one datagram to the Unix socket at `path`, with a copy of `descriptor` where there is
// one. Lost where nobody is there or reads.
void tell(std::string_view path, std::string_view bytes, int descriptor = -1);

}  // namespace fnkit::net
