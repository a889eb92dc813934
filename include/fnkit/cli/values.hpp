// Values as people write them on a command line or in the environment. Errors go on where the
// quoted value ends: "is no duration (…)".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fnkit/base/result.hpp"
#include "fnkit/base/time.hpp"

namespace fnkit::cli {

// 500ms, 30s, 2m, 1h; a bare number is seconds. At most 10 years.
Result<Duration> parse_duration(std::string_view text);

// 16KiB, 64MiB, 1GiB; a bare number is bytes. At most 1 TiB.
Result<size_t> parse_size(std::string_view text);

// A whole number from `least` up.
Result<size_t> parse_count(std::string_view text, size_t least);

// The CPUs this process may run on, by number.
std::vector<int> allowed_cpus();

// The first `text` of allowed_cpus(); all of them for "all".
Result<std::vector<int>> parse_cores(std::string_view text);

}  // namespace fnkit::cli
