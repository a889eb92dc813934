// What measures and what is measured against runs on this: a bare io_uring loop for loopback
// sockets, not the program's own, so that no fault of that one can hide in both.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace bench {

// One thread. What cannot be done ends the process with a sentence.
class Loop {
 public:
  struct Handler {
    virtual void accepted(int fd) = 0;
    // `bytes` stay until the next turn() has handed over, so a small send may be made of them.
    // Empty: the peer has ended.
    virtual void received(int fd, std::string_view bytes) = 0;
    // A send of more than kSilentMax bytes has been taken whole.
    virtual void sent(int fd) = 0;

   protected:
    ~Handler() = default;
  };

  // A piece of what is received; what has at most so many bytes is sent without a completion.
  static constexpr size_t kPieceBytes = 16 * 1024;
  static constexpr size_t kSilentMax = kPieceBytes;

  explicit Loop(Handler& handler);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Until the process ends.
  void accept(int listener);
  // All that comes, in pieces as it comes.
  void receive(int fd);
  // Exactly so many bytes, told in one call.
  void receive_whole(int fd, std::span<char> into);
  // `bytes` must stay until the next turn() has handed over, or sent() where they are more than
  // kSilentMax. One send a socket and turn.
  void send(int fd, std::string_view bytes);

  // Hands over, waits for the first completion or `until` (nanoseconds of the monotonic clock; 0:
  // does not wait, -1: for ever), tells the handler all that has happened.
  void turn(int64_t until);

 private:
  enum class Kind : uint8_t { accept, receive, receive_whole, send };

  io_uring_sqe& next();
  static void mark(io_uring_sqe& entry, Kind kind, int fd);
  void hand_over(int64_t until);
  void tell(const io_uring_cqe& completion);
  void tell_received(int fd, const io_uring_cqe& completion);

  Handler& handler_;
  io_uring ring_{};
  io_uring_buf_ring* buffer_ring_ = nullptr;
  std::unique_ptr<char[]> pieces_;
  std::vector<uint16_t> used_;          // pieces told of in the last turn
  std::vector<std::span<char>> whole_;  // by descriptor
};

}  // namespace bench
