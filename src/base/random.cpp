#include "fnkit/base/random.hpp"

#include <random>

#include "fnkit/base/text.hpp"

namespace fnkit {

void Random::append_hex16(std::string& out) {
  out.resize(out.size() + 16);
  write_hex16(out.data() + out.size() - 16, id());
}

uint64_t random_seed() {
  std::random_device entropy;
  return (static_cast<uint64_t>(entropy()) << 32) | entropy();
}

}  // namespace fnkit
