#include "server/process_usage.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "fnkit/base/text.hpp"

namespace fnkit::server {
namespace {

// The numbers of /proc/self/stat behind the program's name; proc(5) counts them from 3.
std::vector<uint64_t> stat_numbers() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  std::vector<uint64_t> numbers;
  const size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return numbers;
  for (const std::string_view each : split(std::string_view(text).substr(name_end + 2), ' ')) {
    numbers.push_back(parse_decimal(each).value_or(0));
  }
  return numbers;
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

ProcessUsage process_usage() {
  constexpr size_t kStartTime = 22 - 3;
  constexpr size_t kVirtualBytes = 23 - 3;
  constexpr size_t kResidentPages = 24 - 3;
  ProcessUsage usage;
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  usage.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  const std::vector<uint64_t> numbers = stat_numbers();
  if (numbers.size() > kResidentPages) {
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    const double uptime =
        std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
    const double now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    usage.start_unix_seconds = now - uptime + static_cast<double>(numbers[kStartTime]) / ticks;
    usage.virtual_bytes = numbers[kVirtualBytes];
    usage.resident_bytes = numbers[kResidentPages] * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  }
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
    usage.open_descriptors += static_cast<uint64_t>(!entry.path().empty());
  }
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  usage.descriptors_max = limit.rlim_cur;
  return usage;
}

}  // namespace fnkit::server
