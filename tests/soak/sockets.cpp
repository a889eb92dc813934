#include "soak/sockets.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace soak {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void send_at_once(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

void die(const std::string& what) {
  std::fprintf(stderr, "%s (%s)\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

int64_t now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

int listen_on_loopback(int& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || bind(fd, generic, length) < 0 || listen(fd, 1024) < 0 ||
      getsockname(fd, generic, &length) < 0) {
    die("cannot listen");
  }
  port = ntohs(address.sin_port);
  return fd;
}

int connect_to(const std::string& host_and_port) {
  const size_t colon = host_and_port.rfind(':');
  if (host_and_port.substr(0, colon) != "127.0.0.1") die("not a loopback address");
  const sockaddr_in address = loopback(std::atoi(host_and_port.c_str() + colon + 1));
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    die("cannot connect to " + host_and_port);
  }
  send_at_once(fd);
  return fd;
}

int accept_from(int listener) {
  const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd >= 0) send_at_once(fd);
  return fd;
}

bool receive(int fd, std::string& input) {
  std::array<char, 16 * 1024> bytes;
  while (true) {
    const ssize_t got = recv(fd, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    input.append(bytes.data(), static_cast<size_t>(got));
  }
}

bool send_all(int fd, std::string_view bytes) {
  const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(bytes.size());
}

Message first_message(std::string_view input) {
  constexpr std::string_view kEnd = "\r\n\r\n", kLength = "\r\ncontent-length:";
  const size_t end = input.find(kEnd);
  if (end == std::string_view::npos) return {};
  const std::string_view head = input.substr(0, end + kEnd.size());
  size_t body_bytes = 0;
  for (size_t line = head.find("\r\n"); line < end; line = head.find("\r\n", line + 1)) {
    if (strncasecmp(head.data() + line, kLength.data(), kLength.size()) == 0) {
      body_bytes = std::strtoul(head.data() + line + kLength.size(), nullptr, 10);
    }
  }
  if (input.size() - head.size() < body_bytes) return {};
  return {head, input.substr(head.size(), body_bytes), head.size() + body_bytes};
}

std::string_view target_of(std::string_view head) {
  const size_t begin = head.find(' ') + 1;
  return head.substr(begin, head.find(' ', begin) - begin);
}

Poller::Poller() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
  if (fd_ < 0) die("cannot poll");
  prctl(PR_SET_TIMERSLACK, 1UL);  // else every wait may be 50 us longer than it was asked to be
}

void Poller::add(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event) < 0) die("cannot poll a socket");
}

std::span<const epoll_event> Poller::wait(int64_t until) {
  const int64_t left = std::max<int64_t>(0, until - now());
  const timespec timeout{left / kSecond, left % kSecond};
  const int count =
      epoll_pwait2(fd_, events_.data(), static_cast<int>(events_.size()), &timeout, nullptr);
  if (count < 0 && errno != EINTR) die("cannot wait");
  return {events_.data(), static_cast<size_t>(std::max(0, count))};
}

}  // namespace soak
