#include <sys/utsname.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "ring/kernel_ring.hpp"

namespace fnkit::ring {
namespace {

// kernel.io_uring_disabled: 0 allowed, 1 only for a group, 2 forbidden; -1 where there is no such
// knob or /proc hides it.
int read_disabled_knob() {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(
      std::fopen("/proc/sys/kernel/io_uring_disabled", "r"), &std::fclose);
  int value = -1;
  if (file == nullptr || std::fscanf(file.get(), "%d", &value) != 1) return -1;
  return value;
}

}  // namespace

std::string why_forbidden(std::string_view call, int code) {
  utsname system{};
  uname(&system);
  const std::string kernel = system.release;
  const std::string name = "io_uring_" + std::string(call);
  switch (code) {
    case EPERM:
    case EACCES:
      if (const int knob = read_disabled_knob(); knob > 0 && call == "setup") {
        return "kernel.io_uring_disabled is " + std::to_string(knob) +
               "; allow it with: sysctl -w kernel.io_uring_disabled=0";
      }
      return "a seccomp filter or security module forbids " + name +
             " (containers: run with a profile that allows io_uring, for example --security-opt "
             "seccomp=unconfined)";
    case ENOMEM:
      return "not enough locked memory for io_uring; raise it with: ulimit -l 65536 (systemd: "
             "LimitMEMLOCK=64M)";
    case ENFILE:
      return "the machine has no descriptor left for io_uring; raise the limit with: sysctl -w "
             "fs.file-max=1000000";
    case ENOSYS:
    case EINVAL:
      return "the kernel (" + kernel + ") is too old for " + name +
             ", was built without it, or a seccomp filter hides it; 6.1 is the minimum";
    default: return name + ": " + std::strerror(code) + " (kernel " + kernel + ")";
  }
}

}  // namespace fnkit::ring
