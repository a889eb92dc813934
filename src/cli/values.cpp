#include "fnkit/cli/values.hpp"

#include <sched.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "fnkit/base/text.hpp"

namespace fnkit::cli {
namespace {

struct Unit {
  std::string_view suffix;
  uint64_t factor;
};

// A number, perhaps with a fraction of at most six digits that leaves a whole number of the
// smallest unit, and a unit.
std::optional<uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units,
                                        uint64_t largest) {
  constexpr size_t kFractionDigitsMax = 6;
  const auto take_digits = [&text] {
    const size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::string_view digits = text.substr(0, count);
    text.remove_prefix(count);
    return digits;
  };
  const auto number = parse_decimal(take_digits());
  std::string_view fraction;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    fraction = take_digits();
    if (fraction.empty() || fraction.size() > kFractionDigitsMax) return std::nullopt;
  }
  for (const Unit& unit : units) {
    if (text != unit.suffix) continue;
    if (!number || *number > largest / unit.factor) return std::nullopt;
    uint64_t part = parse_decimal(fraction).value_or(0) * unit.factor;
    for (size_t i = 0; i < fraction.size(); ++i) {
      if (part % 10 != 0) return std::nullopt;
      part /= 10;
    }
    return *number * unit.factor + part;
  }
  return std::nullopt;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  static constexpr std::array<Unit, 6> kUnits = {{{"", 1'000'000},
                                                  {"us", 1},
                                                  {"ms", 1000},
                                                  {"s", 1'000'000},
                                                  {"m", 60'000'000},
                                                  {"h", 3'600'000'000}}};
  constexpr uint64_t kTenYears = 10ULL * 365 * 24 * 3'600'000'000;
  const auto microseconds = parse_with_unit(text, kUnits, kTenYears);
  if (!microseconds) {
    return Error{"is no duration (500us, 0.5ms, 30s, 2m, 1h; a bare number is seconds)"};
  }
  return Duration(std::chrono::microseconds(*microseconds));
}

Result<size_t> parse_size(std::string_view text) {
  static constexpr std::array<Unit, 4> kUnits = {
      {{"", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}}};
  const auto bytes = parse_with_unit(text, kUnits, 1ULL << 40);
  if (!bytes) return Error{"is no size (16KiB, 64MiB, 1GiB; a bare number is bytes)"};
  return static_cast<size_t>(*bytes);
}

Result<size_t> parse_count(std::string_view text, size_t least) {
  const auto number = parse_decimal(text);
  if (!number || *number < least || *number > 1'000'000'000) {
    return Error{"is no number from " + std::to_string(least) + " up"};
  }
  return static_cast<size_t>(*number);
}

std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return {0};
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(static_cast<size_t>(cpu), &set)) cpus.push_back(cpu);
  }
  return cpus;
}

Result<std::vector<int>> parse_cores(std::string_view text) {
  std::vector<int> cpus = allowed_cpus();
  if (text == "all") return cpus;
  Result<size_t> count = parse_count(text, 1);
  if (!count) return count.error();
  if (*count > cpus.size()) {
    return Error{"is more than the " + std::to_string(cpus.size()) +
                 " CPUs this process may run on"};
  }
  cpus.resize(*count);
  return cpus;
}

}  // namespace fnkit::cli
