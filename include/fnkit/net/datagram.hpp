// Telling something to whoever may listen, without waiting for anybody.
#pragma once

#include <span>
#include <string_view>

namespace fnkit::net {

// Whether `path` can be a Unix socket's: absolute, or abstract with '@' for the NUL (unix(7)).
bool is_unix_path(std::string_view path);

inline constexpr size_t kDescriptorsMax = 250;  // of one datagram; the kernel's SCM_MAX_FD is 253

// `bytes` as one datagram to the Unix socket at `path`, with copies of `descriptors` (at most
// kDescriptorsMax). Lost where nobody is there or reads.
void tell(std::string_view path, std::string_view bytes, std::span<const int> descriptors = {});

}  // namespace fnkit::net
