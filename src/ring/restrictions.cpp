// A ring's operations pass no seccomp filter and no address family of systemd's: what bounds them
// is the list here, which nobody can lengthen once the ring runs.
#include <liburing.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <span>
#include <vector>

#include "ring/kernel_ring.hpp"

namespace fnkit::ring {
namespace {

constexpr std::array kOperations{IORING_OP_ACCEPT,  IORING_OP_RECV,        IORING_OP_SEND,
                                 IORING_OP_SENDMSG, IORING_OP_CONNECT,     IORING_OP_POLL_ADD,
                                 IORING_OP_READ,    IORING_OP_ASYNC_CANCEL};
// For the ring's end alone.
constexpr std::array kRegistrations{IORING_UNREGISTER_PBUF_RING, IORING_UNREGISTER_RING_FDS};
constexpr uint8_t kEntryFlags = IOSQE_BUFFER_SELECT | IOSQE_CQE_SKIP_SUCCESS;

io_uring_restriction restriction(unsigned kind, unsigned value) {
  io_uring_restriction made{};
  made.opcode = static_cast<uint16_t>(kind);
  made.sqe_op = static_cast<uint8_t>(value);  // a union with register_op and sqe_flags
  return made;
}

// The system call: liburing 2.3 forgot to export its functions for these two.
int register_with(io_uring& ring, unsigned what, std::span<const io_uring_restriction> with) {
  const auto r = syscall(SYS_io_uring_register, ring.ring_fd, what, with.data(), with.size());
  return r < 0 ? -errno : 0;
}

}  // namespace

int restrict_and_enable(io_uring& ring) {
  std::vector<io_uring_restriction> allowed;
  for (const auto code : kOperations) {
    allowed.push_back(restriction(IORING_RESTRICTION_SQE_OP, code));
  }
  for (const auto code : kRegistrations) {
    allowed.push_back(restriction(IORING_RESTRICTION_REGISTER_OP, code));
  }
  allowed.push_back(restriction(IORING_RESTRICTION_SQE_FLAGS_ALLOWED, kEntryFlags));
  if (const int r = register_with(ring, IORING_REGISTER_RESTRICTIONS, allowed); r < 0) return r;
  return register_with(ring, IORING_REGISTER_ENABLE_RINGS, {});
}

}  // namespace fnkit::ring
