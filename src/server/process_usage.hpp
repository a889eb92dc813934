// What the whole process uses of the machine, as the kernel tells it.
#pragma once

#include <cstdint>

namespace fnkit::server {

struct ProcessUsage {
  double cpu_seconds = 0;
  double start_unix_seconds = 0;
  uint64_t resident_bytes = 0;
  uint64_t virtual_bytes = 0;
  uint64_t open_descriptors = 0;
  uint64_t descriptors_max = 0;
};

// From /proc/self; 0 where it cannot be read.
ProcessUsage process_usage();

}  // namespace fnkit::server
