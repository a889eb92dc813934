#include <malloc.h>

#include "fnkit/cli/app.hpp"

namespace {

// From here on memory comes in pages of its own, which grow without being copied and go back to the
// system when they are freed. Told once, because glibc would raise the bound with each such block
// that is freed, and then keep the memory of large messages. Buffer says how much of that stays.
constexpr int kOwnPagesFrom = 256 * 1024;

}  // namespace

int main(int argc, char** argv) {
  mallopt(M_MMAP_THRESHOLD, kOwnPagesFrom);
  return fnkit::cli::run(argc, argv);
}
