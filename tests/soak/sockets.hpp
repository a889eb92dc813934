// What the helpers of the soak tests share: loopback sockets, a clock, HTTP messages cut apart.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace soak {

[[noreturn]] void die(const std::string& what);

// Nanoseconds of the monotonic clock.
int64_t now();

// `port` becomes what the kernel chose. Connections have TCP_NODELAY.
int listen_on_loopback(int& port);
int connect_to(const std::string& host_and_port);
int accept_from(int listener);  // -1: there is nobody now

// Appends what has arrived, without waiting; false when the peer has ended.
bool receive(int fd, std::string& input);
// The messages here are small: what the kernel does not take at once is a failure.
bool send_all(int fd, std::string_view bytes);

// The message at the front of `input`, framed by Content-Length; `bytes` is 0 while it is
// incomplete.
struct Message {
  std::string_view head, body;
  size_t bytes = 0;
};
Message first_message(std::string_view input);
// Of a request: the second word of its head.
std::string_view target_of(std::string_view head);

// Whose turn it is: descriptors that are readable, until a moment.
class Poller {
 public:
  Poller();
  void add(int fd);
  // Returns the descriptors that have something to read, none at `until` (nanoseconds of now()).
  std::span<const epoll_event> wait(int64_t until);

 private:
  int fd_;
  std::array<epoll_event, 256> events_{};
};

}  // namespace soak
