#include "fnkit/base/random.hpp"

#include <random>

namespace fnkit {

void Random::append_hex16(std::string& out) {
  static constexpr char kDigits[] = "0123456789abcdef";
  uint64_t bits = 0;
  while (bits == 0) bits = next();
  for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[(bits >> shift) & 0xf];
}

uint64_t random_seed() {
  std::random_device entropy;
  return (static_cast<uint64_t>(entropy()) << 32) | entropy();
}

}  // namespace fnkit
