#include "ring/kernel_ring.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace fnkit::ring {
namespace {

constexpr unsigned kSubmissions = 1024;
// A full completion queue ends multishot operations, so it holds more than one turn can produce.
constexpr unsigned kCompletions = 4 * kSubmissions;
static_assert(kCompletions > ProvidedBuffers::kCount);

constexpr unsigned kSignalSetBytes = 8;          // the kernel's sigset_t
constexpr unsigned kEnterNoIowait = 1U << 7;     // IORING_ENTER_NO_IOWAIT, newer than liburing 2.3
constexpr unsigned kFeatureNoIowait = 1U << 17;  // IORING_FEAT_NO_IOWAIT

Instant monotonic_now() { return std::chrono::steady_clock::now(); }

}  // namespace

KernelRing::KernelRing() : Ring(monotonic_now()) {}

KernelRing::~KernelRing() {
  INVARIANT(in_flight() == 0);  // the kernel would go on to write into their memory
  buffers_.end(ring_);
  if (ring_.ring_fd >= 0) io_uring_queue_exit(&ring_);
}

Result<void, RingForbidden> KernelRing::set_up() {
  io_uring_params parameters{};
  parameters.flags = kSetupFlags;
  parameters.cq_entries = kCompletions;
  if (const int r = io_uring_queue_init_params(kSubmissions, &ring_, &parameters); r < 0) {
    ring_.ring_fd = -1;
    return RingForbidden{why_forbidden("setup", -r)};
  }
  if (const int r = register_all(); r < 0) return RingForbidden{why_forbidden("register", -r)};
  enter_flags_ = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG | IORING_ENTER_REGISTERED_RING;
  // Without it a waiting loop counts as waiting for a disk: iowait near 100 % on an idle machine.
  if ((parameters.features & kFeatureNoIowait) != 0) enter_flags_ |= kEnterNoIowait;
  // What forbids this one would otherwise be met in the middle of the first turn.
  if (const int r = enter(0, nullptr); r < 0) return RingForbidden{why_forbidden("enter", -r)};
  return {};
}

int KernelRing::register_all() {
  if (const int r = buffers_.set_up(ring_); r < 0) return r;
  if (const int r = io_uring_register_ring_fd(&ring_); r < 0) return r;
  return restrict_and_enable(ring_);
}

Instant KernelRing::read_clock() { return monotonic_now(); }

Result<int> KernelRing::open_socket(int family) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Error::from_errno(errno, "socket");
  const int on = 1;
  if (family != AF_UNIX) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

// Nothing has come to any socket since the completions were last seen: the kernel has all receives
// that were started, has posted no completions and set no work aside. It says so in memory that it
// shares: without load, three of seven system calls of a request with three steps are spared.
bool KernelRing::all_is_quiet() const {
  constexpr unsigned kNews = IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW;
  return (io_uring_smp_load_acquire(ring_.sq.kflags) & kNews) == 0 &&
         io_uring_cq_ready(&ring_) == 0 && io_uring_sq_ready(&ring_) == 0;
}

Unread KernelRing::unread(int fd) {
  if (all_is_quiet()) return Unread::nothing;
  char byte = 0;
  const ssize_t found = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (found > 0) return Unread::bytes;
  return found < 0 && (errno == EAGAIN || errno == EINTR) ? Unread::nothing : Unread::end;
}

void KernelRing::shut_down_sending(int fd) {
  // The system call: IORING_OP_SHUTDOWN always starts a kernel worker thread.
  ::shutdown(fd, SHUT_WR);
}

void KernelRing::close(int fd) { ::close(fd); }

io_uring_sqe& KernelRing::next_submission() {
  io_uring_sqe* entry = io_uring_get_sqe(&ring_);
  while (entry == nullptr) {  // full: hand over what there is; completions are reaped in wait()
    enter(0, nullptr);
    entry = io_uring_get_sqe(&ring_);
  }
  return *entry;
}

void KernelRing::start(Operation& operation) {
  io_uring_sqe& entry = next_submission();
  switch (operation.verb) {
    case Verb::accept:
      io_uring_prep_multishot_accept(&entry, operation.fd, nullptr, nullptr, SOCK_CLOEXEC);
      break;
    case Verb::receive:
      io_uring_prep_recv_multishot(&entry, operation.fd, nullptr, 0, 0);
      // Not with IORING_RECVSEND_POLL_FIRST: what is there before it is armed is then read once
      // only, and a reset right behind the data is never told (seen on Linux 6.18).
      entry.flags |= IOSQE_BUFFER_SELECT;
      entry.buf_group = ProvidedBuffers::kGroup;
      break;
    case Verb::receive_into:
      io_uring_prep_recv(&entry, operation.fd, operation.parts[0].iov_base,
                         operation.parts[0].iov_len, 0);
      break;
    case Verb::send: prepare_send(entry, operation); break;
    case Verb::connect:
      io_uring_prep_connect(&entry, operation.fd, operation.address, operation.address_length);
      break;
    case Verb::poll: io_uring_prep_poll_add(&entry, operation.fd, operation.events); break;
    case Verb::read:
      io_uring_prep_read(&entry, operation.fd, operation.parts[0].iov_base,
                         static_cast<unsigned>(operation.parts[0].iov_len), 0);
      break;
  }
  io_uring_sqe_set_data(&entry, &operation);
}

// A silent send asks for a completion only when it cannot do all at once (MSG_DONTWAIT: never armed
// for poll), so that its success neither ends the wait nor costs a completion. No completion by the
// time enter returns means that all of it was sent.
void KernelRing::prepare_send(io_uring_sqe& entry, Operation& operation) {
  const bool silent = operation.mode == SendMode::silent;
  const unsigned flags =
      silent ? MSG_NOSIGNAL | MSG_DONTWAIT | MSG_WAITALL : static_cast<unsigned>(MSG_NOSIGNAL);
  if (operation.part_count == 1) {
    io_uring_prep_send(&entry, operation.fd, operation.parts[0].iov_base,
                       operation.parts[0].iov_len, static_cast<int>(flags));
  } else {
    operation.message.msg_iov = operation.parts.data();
    operation.message.msg_iovlen = operation.part_count;
    io_uring_prep_sendmsg(&entry, operation.fd, &operation.message, flags);
  }
  if (silent) {
    entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
    silent_.push_back(&operation);
  }
}

void KernelRing::stop(Operation& operation) {
  // A silent send has ended when enter returns, whatever is asked of it.
  if (operation.verb == Verb::send && operation.mode == SendMode::silent) return;
  io_uring_sqe& entry = next_submission();
  io_uring_prep_cancel(&entry, &operation, 0);
  entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
  io_uring_sqe_set_data(&entry, nullptr);  // "not found" and "already running" are fine
}

int KernelRing::enter(unsigned wait_count, const __kernel_timespec* timeout) {
  counts().enters.add();
  const unsigned tail = ring_.sq.sqe_tail;
  ring_.sq.sqe_head = tail;
  io_uring_smp_store_release(ring_.sq.ktail, tail);
  const unsigned submitting = tail - io_uring_smp_load_acquire(ring_.sq.khead);
  io_uring_getevents_arg argument{};
  argument.sigmask_sz = kSignalSetBytes;
  argument.ts = reinterpret_cast<uint64_t>(timeout);
  return io_uring_enter2(static_cast<unsigned>(ring_.enter_ring_fd), submitting, wait_count,
                         enter_flags_, reinterpret_cast<sigset_t*>(&argument), sizeof argument);
}

void KernelRing::wait(Instant until) {
  __kernel_timespec timeout{};
  const __kernel_timespec* limit = nullptr;
  unsigned wait_count = io_uring_cq_ready(&ring_) > 0 ? 0 : 1;
  if (until != kNever) {
    const int64_t left = std::max<int64_t>(0, (until - departed()).count());
    timeout.tv_sec = left / 1'000'000'000;
    timeout.tv_nsec = left % 1'000'000'000;
    limit = &timeout;
    if (left == 0) wait_count = 0;
  }
  const bool kernel_has_news = (io_uring_smp_load_acquire(ring_.sq.kflags) &
                                (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
  if (wait_count > 0 || kernel_has_news || io_uring_sq_ready(&ring_) > 0) {
    const int r = enter(wait_count, limit);
    INVARIANT(r >= 0 || r == -ETIME || r == -EINTR || r == -EAGAIN || r == -EBUSY);
  }
  // Noted here and not in reap(), whose handlers may add sends that the kernel has not seen. Where
  // it has not taken all entries (-EBUSY, -EAGAIN), the sends wait for the next turn.
  silent_taken_ = io_uring_sq_ready(&ring_) == 0 ? silent_.size() : 0;
}

void KernelRing::reap() {
  reap_completions();
  while ((io_uring_smp_load_acquire(ring_.sq.kflags) & IORING_SQ_CQ_OVERFLOW) != 0) {
    counts().overflows.add();
    enter(0, nullptr);
    reap_completions();
  }
  finish_silent_sends();
  restart_interrupted();
}

void KernelRing::reap_completions() {
  unsigned head = 0;
  unsigned count = 0;
  io_uring_cqe* completion = nullptr;
  io_uring_for_each_cqe(&ring_, head, completion) {
    ++count;
    auto* operation = static_cast<Operation*>(io_uring_cqe_get_data(completion));
    if (operation != nullptr) dispatch(*operation, completion->res, completion->flags);
  }
  io_uring_cq_advance(&ring_, count);
  buffers_.publish();
}

void KernelRing::dispatch(Operation& operation, int32_t result, uint32_t flags) {
  const bool more = (flags & IORING_CQE_F_MORE) != 0;
  switch (operation.verb) {
    case Verb::receive: received(operation, result, flags, more); return;
    case Verb::send: sent(operation, result); return;
    case Verb::accept:
      if (result >= 0 && !more) interrupted_.push_back(&operation);
      complete(operation, result, result >= 0);
      return;
    case Verb::receive_into:
    case Verb::connect:
    case Verb::poll:
    case Verb::read: complete(operation, result, false); return;
  }
}

void KernelRing::received(Operation& operation, int32_t result, uint32_t flags, bool more) {
  if (result == -ENOBUFS || (result > 0 && !more)) interrupted_.push_back(&operation);
  if (result == -ENOBUFS) {
    counts().buffers_exhausted.add();
    return;
  }
  if ((flags & IORING_CQE_F_BUFFER) == 0) {
    complete(operation, result, false);
    return;
  }
  const auto id = static_cast<uint16_t>(flags >> IORING_CQE_BUFFER_SHIFT);
  operation.data = buffers_.filled(id, static_cast<size_t>(std::max(result, 0)));
  complete(operation, result, result > 0);
  buffers_.give_back(id);
}

void KernelRing::sent(Operation& operation, int32_t result) {
  if (operation.mode == SendMode::silent) {
    if (std::erase(silent_, &operation) > 0 && silent_taken_ > 0) --silent_taken_;
    operation.mode = SendMode::prompt;  // it goes on with a completion for each part that leaves
    if (result == -EAGAIN) result = 0;
  }
  if (result < 0) {
    complete(operation, result, false);
    return;
  }
  operation.sent += result;
  if (operation.advance(static_cast<size_t>(result)) == 0) {
    complete(operation, operation.sent, false);
    return;
  }
  if (result > 0) progressed(operation);
  interrupted_.push_back(&operation);
}

void KernelRing::finish_silent_sends() {
  const auto taken = silent_.begin() + static_cast<std::ptrdiff_t>(silent_taken_);
  finished_.assign(silent_.begin(), taken);
  silent_.erase(silent_.begin(), taken);
  silent_taken_ = 0;
  for (Operation* operation : finished_) {
    size_t bytes = 0;
    for (unsigned i = 0; i < operation->part_count; ++i) bytes += operation->parts[i].iov_len;
    operation->sent += static_cast<int32_t>(bytes);
    complete(*operation, operation->sent, false);
  }
  finished_.clear();
}

// What ended for want of a buffer, of room for completions or of room in the socket goes on, after
// this turn's buffers have gone back and unless it was cancelled meanwhile.
void KernelRing::restart_interrupted() {
  restarting_.swap(interrupted_);
  for (Operation* operation : restarting_) {
    if (operation->cancelled) {
      complete(*operation, -ECANCELED, false);
    } else {
      start(*operation);
    }
  }
  restarting_.clear();
}

Result<std::unique_ptr<Ring>, RingForbidden> make_kernel_ring() {
  auto ring = std::make_unique<KernelRing>();
  if (auto ready = ring->set_up(); !ready) return ready.error();
  return std::unique_ptr<Ring>(std::move(ring));
}

}  // namespace fnkit::ring
