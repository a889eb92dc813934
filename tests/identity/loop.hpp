// Sockets and timers of one thread, on epoll; nothing of the program under test.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "message.hpp"

namespace identity {

class Loop {
 public:
  // Something with a socket and one timer.
  class Member {
   public:
    virtual ~Member() = default;
    virtual void ready(uint32_t events) = 0;
    virtual void time_is_over() = 0;

   private:
    friend class Loop;
    std::multimap<Nanoseconds, Member*>::iterator timer_;
    bool timed_ = false;
    bool gone_ = false;
  };

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Level-triggered for reading, and for writing where it is asked.
  void watch(int fd, Member& member);
  void watch_writing(int fd, Member& member, bool writing);
  // In the place of the one that the member has.
  void start_timer(Member& member, Nanoseconds when);
  void stop_timer(Member& member);
  // Owned until the loop's end, or until retire(): then it hears nothing more, and is freed once
  // nothing can refer to it.
  void adopt(std::unique_ptr<Member> member);
  void retire(Member& member);

  // Until stop(), which any thread may call, and nothing has arrived any more.
  void run();
  void stop();

 private:
  void run_timers();

  int epoll_;
  int stopped_;
  std::multimap<Nanoseconds, Member*> timers_;
  std::unordered_map<Member*, std::unique_ptr<Member>> members_;
  std::vector<std::unique_ptr<Member>> retired_;
};

// 127.0.0.1, several may share the port; 0 lets the kernel choose. Ends the program on failure.
int listen_on(uint16_t port);
uint16_t port_of(int fd);
int connect_to(uint16_t port);
// Its closing will be a reset.
void make_reset(int fd);

enum class Pulled { nothing, some, ended, reset };
// All that has arrived, appended to `in`.
Pulled pull(int fd, std::string& in);
// Sends from `out` what the kernel takes of [at, end); false where the connection is broken.
bool push(int fd, std::string_view out, size_t& at, size_t end);

[[noreturn]] void die(const char* what);

}  // namespace identity
