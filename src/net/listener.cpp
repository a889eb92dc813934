#include "fnkit/net/listener.hpp"

#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace fnkit::net {
namespace {

// What Linux lets a listener have unless somaxconn is lower.
constexpr int kBacklog = 4096;

Error busy_or(int code, const Address& address) {
  return Error::from_errno(code, "cannot listen on " + address.to_text());
}

// A Unix socket file outlives its process. One that nobody answers on may be replaced.
void remove_stale_socket(const Address& address) {
  const char* path = reinterpret_cast<const sockaddr_un*>(address.raw())->sun_path;
  struct stat file {};
  // A connect to a file that is no socket is refused as well.
  if (::lstat(path, &file) != 0 || !S_ISSOCK(file.st_mode)) return;
  // Non-blocking: where a living server's backlog is full, connect would wait.
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return;
  if (::connect(probe, address.raw(), address.length()) != 0 && errno == ECONNREFUSED) {
    ::unlink(path);
  }
  ::close(probe);
}

Result<int> bind_new(const Address& address, bool share_port) {
  const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return busy_or(errno, address);
  const int on = 1;
  if (!address.is_unix()) {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (share_port) setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // inherited by what it accepts
    // Two sockets, one a family, so that "[::]:80" beside "0.0.0.0:80" is no conflict.
    if (address.family() == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  }
  if (::bind(fd, address.raw(), address.length()) != 0) {
    const int code = errno;
    ::close(fd);
    return busy_or(code, address);
  }
  return fd;
}

}  // namespace

Result<int> open_listener(const Address& address, ListenAs as) {
  if (address.is_unix()) remove_stale_socket(address);
  if (as == ListenAs::sole && !address.is_unix() && address.port() != 0) {
    // With SO_REUSEPORT a second server of the same user would share the port unnoticed.
    Result<int> probe = bind_new(address, false);
    if (!probe) return probe;
    ::close(*probe);
  }
  Result<int> fd = bind_new(address, true);
  if (fd && ::listen(*fd, kBacklog) != 0) {
    const int code = errno;
    ::close(*fd);
    return busy_or(code, address);
  }
  return fd;
}

void hand_over(int fd, size_t ours) {
  // Sockets of a port are numbered in the order in which they came; the last takes the place of one
  // that goes. So this number is another process's until ours are all gone. Where there is none of
  // that number, the kernel chooses as it did.
  sock_filter choose{BPF_RET | BPF_K, 0, 0, static_cast<uint32_t>(ours)};
  const sock_fprog program{1, &choose};
  setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program);
}

void end_hand_over(int fd) {
  const int none = 0;
  setsockopt(fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &none, sizeof none);
}

Result<Address> adopt_listener(int fd) {
  int listens = 0;
  int type = 0;
  socklen_t size = sizeof listens;
  const bool known = getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 &&
                     getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;
  if (!known) return Error::from_errno(errno, "is no socket");
  if (type != SOCK_STREAM || listens == 0) return Error{"is no stream socket that listens"};
  const int flags = ::fcntl(fd, F_GETFL);
  // A ring does not wait for what is non-blocking.
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || ::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0) {
    return Error::from_errno(errno, "cannot be used");
  }
  Result<Address> address = Address::of_socket(fd);
  if (!address || address->is_unix()) return address;
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return address;
}

Listener::Listener(ring::Ring& ring, int fd, AtEnd at_end)
    : ring_(ring), fd_(fd), at_end_(at_end), pause_(&pause_over, this) {
  operation_.handler = &operation_completed;
  operation_.owner = this;
  arm();
}

Listener::~Listener() { REQUIRE(fd_ < 0 && accepted_.empty()); }

void Listener::arm() {
  operation_.accept(fd_);
  ring_.submit(operation_);
}

void Listener::operation_completed(ring::Operation& operation) {
  static_cast<Listener*>(operation.owner)->completed();
}

void Listener::completed() {
  if (operation_.result >= 0) {
    accepted_.push_back(operation_.result);
  } else if (stopped_) {
    accept_remaining();
  } else {
    const int code = -operation_.result;
    const bool exhausted = code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM;
    ring_.timers().arm(pause_, later(ring_.now(), exhausted ? kPause : Duration::zero()));
  }
  if (has_news() && acceptor_.handle && !acceptor_.linked()) {
    coro::ReadyQueue::of_thread().post(acceptor_);
  }
}

// What has connected by now is not lost: closing would reset it. A socket that others have too is
// left to them: the flag would be theirs as well.
void Listener::accept_remaining() {
  if (at_end_ == AtEnd::leaves_queue || ::fcntl(fd_, F_SETFL, O_NONBLOCK) != 0) return;
  while (true) {
    const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) break;
    accepted_.push_back(fd);
  }
}

void Listener::pause_over(void* context) { static_cast<Listener*>(context)->arm(); }

Result<int> Listener::take() {
  acceptor_.handle = nullptr;
  if (accepted_.empty()) return Error::from_errno(ECANCELED, "accept");
  const int fd = accepted_.front();
  accepted_.erase(accepted_.begin());
  return fd;
}

void Listener::stop() {
  if (std::exchange(stopped_, true)) return;
  pause_.unlink();
  ring_.cancel(operation_);
  if (has_news() && acceptor_.handle && !acceptor_.linked()) {
    coro::ReadyQueue::of_thread().post(acceptor_);
  }
}

coro::Task<void> Listener::close() {
  stop();
  while (operation_.submitted || !accepted_.empty()) {
    Result<int> late = co_await accept();
    if (late) ring_.close(*late);
  }
  ring_.close(std::exchange(fd_, -1));
}

}  // namespace fnkit::net
