// What io_uring is on this machine, for people.
#include <sys/utsname.h>

#include <array>
#include <string>

#include "ring/kernel_ring.hpp"

namespace fnkit::ring {
namespace {

struct Bit {
  unsigned bit;
  const char* name;
};

constexpr std::array kSetupNames = {
    Bit{IORING_SETUP_R_DISABLED, "R_DISABLED"},
    Bit{IORING_SETUP_SINGLE_ISSUER, "SINGLE_ISSUER"},
    Bit{IORING_SETUP_DEFER_TASKRUN, "DEFER_TASKRUN"},
    Bit{IORING_SETUP_TASKRUN_FLAG, "TASKRUN_FLAG"},
    Bit{IORING_SETUP_SUBMIT_ALL, "SUBMIT_ALL"},
    Bit{IORING_SETUP_CQSIZE, "CQSIZE"},
    Bit{IORING_SETUP_CLAMP, "CLAMP"},
};

// By bit, as linux/io_uring.h has them; the header of the build may be older than the kernel.
constexpr std::array kFeatureNames = {
    "SINGLE_MMAP", "NODROP",      "SUBMIT_STABLE",   "RW_CUR_POS",   "CUR_PERSONALITY",
    "FAST_POLL",   "POLL_32BITS", "SQPOLL_NONFIXED", "EXT_ARG",      "NATIVE_WORKERS",
    "RSRC_TAGS",   "CQE_SKIP",    "LINKED_FILE",     "REG_REG_RING", "RECVSEND_BUNDLE",
    "MIN_TIMEOUT", "RW_ATTR",     "NO_IOWAIT",
};

std::string setup_text() {
  std::string text;
  for (const Bit& each : kSetupNames) {
    if ((kSetupFlags & each.bit) != 0) (text += ' ') += each.name;
  }
  return text;
}

std::string features_text(unsigned features) {
  std::string text;
  for (unsigned bit = 0; bit < 32; ++bit) {
    if ((features >> bit & 1U) == 0) continue;
    text += ' ';
    text += bit < kFeatureNames.size() ? kFeatureNames[bit] : "bit " + std::to_string(bit);
  }
  return text;
}

}  // namespace

std::string kernel_facts() {
  utsname system{};
  uname(&system);
  std::string text = "kernel: " + std::string(system.sysname) + " " + system.release + "\n";
  io_uring ring{};
  io_uring_params parameters{};
  parameters.flags = kSetupFlags;
  parameters.cq_entries = 2;
  if (const int r = io_uring_queue_init_params(1, &ring, &parameters); r < 0) {
    return text + "io_uring: " + why_forbidden("setup", -r) + "\n";
  }
  io_uring_queue_exit(&ring);
  return text + "io_uring flags:" + setup_text() +
         "\nio_uring features:" + features_text(parameters.features) + "\n";
}

}  // namespace fnkit::ring
