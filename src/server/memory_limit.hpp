// What the control group that this process is in may use.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

namespace fnkit::server {

// The lowest memory limit of the process's control group and of those above it (cgroups(7), version
// 2's memory.max or version 1's memory.limit_in_bytes), bytes; nothing where there is none, or none
// that can be read. In a container the group's path may be the host's: then what is mounted counts.
std::optional<size_t> memory_limit(const std::filesystem::path& groups_of_process,
                                   const std::filesystem::path& mount);
inline std::optional<size_t> memory_limit() {
  return memory_limit("/proc/self/cgroup", "/sys/fs/cgroup");
}

}  // namespace fnkit::server
