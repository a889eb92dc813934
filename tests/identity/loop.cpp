#include "loop.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace identity {
namespace {

constexpr int kEventsMax = 256;

sockaddr_in loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void set(int fd, int level, int option) {
  const int on = 1;
  if (setsockopt(fd, level, option, &on, sizeof on) != 0) die("setsockopt");
}

}  // namespace

void die(const char* what) {
  std::perror(what);
  std::exit(2);
}

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)), stopped_(eventfd(0, EFD_CLOEXEC)) {
  if (epoll_ < 0 || stopped_ < 0) die("epoll");
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, stopped_, &event) != 0) die("epoll_ctl");
}

Loop::~Loop() {
  close(epoll_);
  close(stopped_);
}

void Loop::watch(int fd, Member& member) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &member;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
}

void Loop::watch_writing(int fd, Member& member, bool writing) {
  epoll_event event{};
  event.events = writing ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.ptr = &member;
  if (epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) != 0) die("epoll_ctl");
}

void Loop::start_timer(Member& member, Nanoseconds when) {
  stop_timer(member);
  member.timer_ = timers_.emplace(when, &member);
  member.timed_ = true;
}

void Loop::stop_timer(Member& member) {
  if (std::exchange(member.timed_, false)) timers_.erase(member.timer_);
}

void Loop::adopt(std::unique_ptr<Member> member) {
  Member* const key = member.get();
  members_.emplace(key, std::move(member));
}

void Loop::retire(Member& member) {
  stop_timer(member);
  member.gone_ = true;
  const auto owned = members_.find(&member);
  retired_.push_back(std::move(owned->second));
  members_.erase(owned);
}

void Loop::run_timers() {
  const Nanoseconds time = now();
  while (!timers_.empty() && timers_.begin()->first <= time) {
    Member& member = *timers_.begin()->second;
    stop_timer(member);
    member.time_is_over();
  }
}

void Loop::run() {
  epoll_event events[kEventsMax];
  bool stopping = false;
  while (true) {
    timespec wait{};
    if (!stopping && !timers_.empty()) {
      const Nanoseconds left = std::max<Nanoseconds>(timers_.begin()->first - now(), 0);
      wait = {left / kSecond, left % kSecond};
    }
    const bool for_ever = !stopping && timers_.empty();
    const int count = epoll_pwait2(epoll_, events, kEventsMax, for_ever ? nullptr : &wait, nullptr);
    if (count < 0 && errno != EINTR) die("epoll_pwait2");
    if (stopping && count <= 1) return;  // stopped_ itself stays readable
    for (int i = 0; i < count; ++i) {
      auto* member = static_cast<Member*>(events[i].data.ptr);
      stopping |= member == nullptr;
      if (member != nullptr && !member->gone_) member->ready(events[i].events);
    }
    run_timers();
    retired_.clear();
  }
}

void Loop::stop() {
  const uint64_t one = 1;
  if (write(stopped_, &one, sizeof one) != sizeof one) die("write");
}

int listen_on(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  set(fd, SOL_SOCKET, SO_REUSEADDR);
  set(fd, SOL_SOCKET, SO_REUSEPORT);
  set(fd, IPPROTO_TCP, TCP_NODELAY);
  const sockaddr_in address = loopback(port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("bind");
  if (listen(fd, SOMAXCONN) != 0) die("listen");
  return fd;
}

uint16_t port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) die("getsockname");
  return ntohs(address.sin_port);
}

int connect_to(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  set(fd, IPPROTO_TCP, TCP_NODELAY);
  const sockaddr_in address = loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) die("connect");
  if (fcntl(fd, F_SETFL, O_NONBLOCK) != 0) die("fcntl");
  return fd;
}

void make_reset(int fd) {
  const linger at_once{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

Pulled pull(int fd, std::string& in) {
  thread_local std::string space(64 * 1024, '\0');
  bool some = false;
  while (true) {
    const ssize_t size = recv(fd, space.data(), space.size(), 0);
    if (size > 0) {
      in.append(space.data(), static_cast<size_t>(size));
      some = true;
      if (static_cast<size_t>(size) < space.size()) return Pulled::some;
    } else if (size == 0) {
      return Pulled::ended;
    } else if (errno == EAGAIN) {
      return some ? Pulled::some : Pulled::nothing;
    } else if (errno != EINTR) {
      return Pulled::reset;
    }
  }
}

bool push(int fd, std::string_view out, size_t& at, size_t end) {
  while (at < end) {
    const ssize_t size = send(fd, out.data() + at, end - at, MSG_NOSIGNAL);
    if (size >= 0) {
      at += static_cast<size_t>(size);
    } else if (errno == EAGAIN) {
      return true;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

}  // namespace identity
