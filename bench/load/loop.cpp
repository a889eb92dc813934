#include "load/loop.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cerrno>

#include "soak/sockets.hpp"

namespace bench {
namespace {

constexpr unsigned kSubmissions = 4096, kCompletions = 16384;
constexpr unsigned kPieces = 256;
constexpr unsigned kKindShift = 32;
constexpr int64_t kSecond = 1'000'000'000;

void check(int result, const char* what) {
  if (result >= 0) return;
  errno = -result;
  soak::die(what);
}

}  // namespace

Loop::Loop(Handler& handler) : handler_(handler) {
  prctl(PR_SET_TIMERSLACK, 1UL);  // else every wait may be 50 us longer than it was asked to be
  io_uring_params parameters{};
  parameters.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN |
                     IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE;
  parameters.cq_entries = kCompletions;
  check(io_uring_queue_init_params(kSubmissions, &ring_, &parameters), "cannot set up a ring");
  check(io_uring_register_ring_fd(&ring_), "cannot register a ring");
  void* memory = mmap(nullptr, kPieces * sizeof(io_uring_buf), PROT_READ | PROT_WRITE,
                      MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  if (memory == MAP_FAILED) soak::die("no memory");
  buffer_ring_ = static_cast<io_uring_buf_ring*>(memory);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<uint64_t>(memory);
  registration.ring_entries = kPieces;
  check(io_uring_register_buf_ring(&ring_, &registration, 0), "cannot register buffers");
  io_uring_buf_ring_init(buffer_ring_);
  pieces_ = std::make_unique<char[]>(kPieces * kPieceBytes);
  for (unsigned id = 0; id < kPieces; ++id) used_.push_back(static_cast<uint16_t>(id));
}

Loop::~Loop() {
  io_uring_queue_exit(&ring_);
  munmap(buffer_ring_, kPieces * sizeof(io_uring_buf));
}

io_uring_sqe& Loop::next() {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  if (entry == nullptr) {
    check(io_uring_submit(&ring_), "cannot submit");
    entry = io_uring_get_sqe(&ring_);
  }
  return *entry;
}

// After the entry is prepared: older versions of liburing clear it then.
void Loop::mark(io_uring_sqe& entry, Kind kind, int fd) {
  entry.user_data = static_cast<uint64_t>(kind) << kKindShift | static_cast<unsigned>(fd);
}

void Loop::accept(int listener) {
  io_uring_sqe& entry = next();
  io_uring_prep_multishot_accept(&entry, listener, nullptr, nullptr, SOCK_CLOEXEC);
  mark(entry, Kind::accept, listener);
}

void Loop::receive(int fd) {
  io_uring_sqe& entry = next();
  io_uring_prep_recv_multishot(&entry, fd, nullptr, 0, 0);
  entry.flags |= IOSQE_BUFFER_SELECT;
  mark(entry, Kind::receive, fd);
}

void Loop::receive_whole(int fd, std::span<char> into) {
  if (whole_.size() <= static_cast<size_t>(fd)) whole_.resize(static_cast<size_t>(fd) + 1);
  whole_[static_cast<size_t>(fd)] = into;
  io_uring_sqe& entry = next();
  io_uring_prep_recv(&entry, fd, into.data(), into.size(), MSG_WAITALL);
  mark(entry, Kind::receive_whole, fd);
}

void Loop::send(int fd, std::string_view bytes) {
  const bool silent = bytes.size() <= kSilentMax;
  io_uring_sqe& entry = next();
  io_uring_prep_send(&entry, fd, bytes.data(), bytes.size(),
                     MSG_NOSIGNAL | MSG_WAITALL | (silent ? MSG_DONTWAIT : 0));
  if (silent) entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
  mark(entry, Kind::send, fd);
}

void Loop::turn(int64_t until) {
  hand_over(until);
  for (size_t i = 0; i < used_.size(); ++i) {
    io_uring_buf_ring_add(buffer_ring_, &pieces_[used_[i] * kPieceBytes], kPieceBytes, used_[i],
                          io_uring_buf_ring_mask(kPieces), static_cast<int>(i));
  }
  io_uring_buf_ring_advance(buffer_ring_, static_cast<int>(used_.size()));
  used_.clear();
  unsigned head = 0, count = 0;
  io_uring_cqe* completion = nullptr;
  io_uring_for_each_cqe(&ring_, head, completion) {
    tell(*completion);
    ++count;
  }
  io_uring_cq_advance(&ring_, count);
}

void Loop::hand_over(int64_t until) {
  io_uring_cqe* first = nullptr;
  int result = 0;
  if (until < 0) {
    result = io_uring_submit_and_wait(&ring_, 1);
  } else {
    const int64_t left = std::max<int64_t>(0, until - soak::now());
    __kernel_timespec limit{left / kSecond, left % kSecond};
    result = io_uring_submit_and_wait_timeout(&ring_, &first, 1, &limit, nullptr);
  }
  if (result != -ETIME && result != -EINTR && result != -EBUSY) check(result, "cannot wait");
}

void Loop::tell(const io_uring_cqe& completion) {
  const int fd = static_cast<int>(completion.user_data & UINT32_MAX);
  switch (static_cast<Kind>(completion.user_data >> kKindShift)) {
    case Kind::accept:
      check(completion.res, "cannot accept");
      if ((completion.flags & IORING_CQE_F_MORE) == 0) accept(fd);
      handler_.accepted(completion.res);
      break;
    case Kind::receive: tell_received(fd, completion); break;
    case Kind::receive_whole: {
      const std::span<char> whole = whole_[static_cast<size_t>(fd)];
      const bool all = completion.res == static_cast<int>(whole.size());
      handler_.received(fd,
                        all ? std::string_view(whole.data(), whole.size()) : std::string_view());
      break;
    }
    case Kind::send:
      // A peer that has gone is told by what is received; in the same turn its socket may be closed
      // before what was to be sent there is handed over.
      if (completion.res != -EPIPE && completion.res != -ECONNRESET && completion.res != -EBADF) {
        check(completion.res, "cannot send");
      }
      handler_.sent(fd);
      break;
  }
}

void Loop::tell_received(int fd, const io_uring_cqe& completion) {
  const bool more = (completion.flags & IORING_CQE_F_MORE) != 0;
  if (completion.res == -ENOBUFS) return receive(fd);
  std::string_view bytes;
  if (completion.res > 0) {
    const auto id = static_cast<uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
    used_.push_back(id);
    bytes = {&pieces_[id * kPieceBytes], static_cast<size_t>(completion.res)};
    if (!more) receive(fd);
  }
  handler_.received(fd, bytes);
}

}  // namespace bench
