// One thing asked of the kernel: its arguments, its result, and the coroutine that awaits it.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "fnkit/coro/ready_queue.hpp"
#include "fnkit/ring/timer_wheel.hpp"

namespace fnkit::ring {

enum class Verb : uint8_t {
  accept,        // endless: one completion a connection
  receive,       // endless: one completion a piece of data, in memory of the ring
  receive_into,  // once: what is there, in memory of the caller
  send,          // once: all of it, or an error
  connect,       // once
  poll,          // once: readiness
  read,          // once: up to the length asked for
};

// How a send tells its success. `silent` posts no completion, so it does not end the loop's wait
// for the next event: its awaiter goes on with that event. `prompt` goes on at once; use it where
// something must follow the send (a close), or to have large memory back soon.
enum class SendMode : uint8_t { silent, prompt };
// More bytes than these are worth a completion: their memory is soon back, a stalled peer noticed.
inline constexpr size_t kSilentBytesMax = 64 * 1024;

// Lives where it is awaited, or in the object whose handler it has, and must outlive its last
// completion: destroying it while submitted is a failed REQUIRE. Fill it with one of the named
// functions, give it to Ring::submit(), then either co_await completed() or set `handler`.
//
// An endless operation completes many times and needs a handler; `more` tells whether further
// completions follow. It ends with a result <= 0 or, after Ring::cancel(), with -ECANCELED.
class Operation {
 public:
  using Handler = void (*)(Operation& operation);
  static constexpr size_t kPartsMax = 4;

  Operation() : timer(&time_out, this) {}
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation() { REQUIRE(!submitted); }

  void accept(int listener);
  void receive(int socket);
  // `into` must stay until completion; at least a byte of it is filled, or the end is told by 0.
  void receive_into(int socket, std::span<char> into);
  // At most kPartsMax non-empty parts, sent as one run of bytes; they must stay unchanged until
  // completion. `stall` is how long no byte at all may get away before the result is -ETIMEDOUT.
  void send(int socket, std::span<const std::string_view> parts, SendMode send_mode,
            Duration stall_max);
  // `address` must live until completion.
  void connect(int socket, const sockaddr* address, socklen_t length);
  void poll(int descriptor, uint32_t events);
  void read(int descriptor, std::span<char> into);

  struct Awaiter {
    Operation& operation;
    bool await_ready() const noexcept { return !operation.submitted; }
    void await_suspend(std::coroutine_handle<> handle) noexcept {
      REQUIRE(!operation.waiter.handle);
      operation.waiter.handle = handle;
    }
    int32_t await_resume() const noexcept {
      operation.waiter.handle = nullptr;
      return operation.result;
    }
  };
  // Yields the result once the operation has ended; at once where it has already.
  Awaiter completed() { return Awaiter{*this}; }

  // --- arguments
  Verb verb = Verb::poll;
  SendMode mode = SendMode::prompt;
  int fd = -1;
  const sockaddr* address = nullptr;  // connect
  socklen_t address_length = 0;
  uint32_t events = 0;                   // poll: POLLIN, POLLOUT …
  std::array<iovec, kPartsMax> parts{};  // send: what is left; reads: parts[0]
  unsigned part_count = 0;
  Duration stall = Duration::max();
  Handler handler = &resume_waiter;
  void* owner = nullptr;

  // --- result, valid in the handler and after completed()
  int32_t result = 0;     // >= 0: bytes, descriptor or events; < 0: -errno
  bool more = false;      // further completions follow
  std::string_view data;  // receive: the bytes; they end with the handler

  // --- the ring's own
  bool submitted = false;
  bool cancelled = false;
  bool timed_out = false;
  int32_t sent = 0;
  class Ring* ring = nullptr;
  msghdr message{};
  Timer timer;
  coro::ReadyNode waiter;

  // send: `bytes` more have left; drops them from `parts` and returns what is left.
  size_t advance(size_t bytes);

 private:
  static void resume_waiter(Operation& operation);
  static void time_out(void* operation);
  void prepare(Verb what, int descriptor);
};

}  // namespace fnkit::ring
