#include "server/memory_limit.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "fnkit/base/text.hpp"

namespace fnkit::server {
namespace {

namespace fs = std::filesystem;

constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();
// Version 1 says "none" with the largest number of pages there is.
constexpr size_t kLimitMax = size_t{1} << 60;

size_t limit_in(const fs::path& file) {
  std::ifstream opened(file);
  std::string text;
  std::getline(opened, text);
  const size_t limit = parse_decimal(text).value_or(kNoLimit);  // "max" is no number
  return limit < kLimitMax ? limit : kNoLimit;
}

size_t lowest_limit(const fs::path& mount, std::string_view group, const char* file) {
  size_t lowest = kNoLimit;
  for (fs::path path = fs::path(group).relative_path();; path = path.parent_path()) {
    lowest = std::min(lowest, limit_in(mount / path / file));
    if (path.empty()) return lowest;
  }
}

}  // namespace

std::optional<size_t> memory_limit(const fs::path& groups_of_process, const fs::path& mount) {
  size_t lowest = kNoLimit;
  std::ifstream groups(groups_of_process);
  // "0::/path" of version 2, "4:memory,…:/path" of version 1.
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string_view group = std::string_view(line).substr(second + 1);
    if (controllers.empty()) lowest = std::min(lowest, lowest_limit(mount, group, "memory.max"));
    for (const std::string_view each : split(controllers, ',')) {
      if (each != "memory") continue;
      lowest = std::min(lowest, lowest_limit(mount / "memory", group, "memory.limit_in_bytes"));
    }
  }
  if (lowest == kNoLimit) return std::nullopt;
  return lowest;
}

}  // namespace fnkit::server
