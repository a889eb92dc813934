#include "fnkit/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace fnkit {

void check_failed(const char* kind, const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "%s:%d: %s(%s) does not hold\n", file, line, kind, expression);
  std::abort();
}

}  // namespace fnkit
