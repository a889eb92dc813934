// A connection's bytes, both ways, over a ring's operations.
#pragma once

#include <span>
#include <string_view>

#include "fnkit/base/buffer.hpp"
#include "fnkit/coro/event.hpp"
#include "fnkit/ring/ring.hpp"

namespace fnkit::net {

// Owns a connected socket. What arrives is collected in input() at all times, so the end of a
// connection is known when it happens and not when somebody next reads. Where nobody takes it, no
// more than `read_ahead_max` bytes are collected (and what was on its way).
//
// Large messages need not be copied: with receive_directly(), what comes goes straight to where
// input() has room for kDirectBytesMin or more, made by whoever reads it.
//
// It ends in three steps: stop() makes every wait return -ECANCELED; close() waits until the kernel
// has let go of it; then it may be destroyed. One thread.
class Stream {
 public:
  static constexpr size_t kReadAheadMax = 64 * 1024;
  static constexpr size_t kDirectBytesMin = 64 * 1024;
  using Action = void (*)(void* context);

  // Takes over `fd`.
  Stream(ring::Ring& ring, int fd, size_t read_ahead_max = kReadAheadMax);
  ~Stream();

  // Bytes received and not yet taken out. Whoever reads takes them from here.
  Buffer& input() { return input_; }
  const Buffer& input() const { return input_; }

  // Whether bytes may go straight into input(): then its owner changes it in turns in which bytes
  // have come, and in no other. `to_reader`: only while somebody is in receive().
  enum class Direct { never, to_reader, always };
  void receive_directly(Direct when) { direct_ = when; }

  struct ReceiveAwaiter {
    Stream& stream;
    Instant deadline;
    bool await_ready() const noexcept { return stream.has_news(); }
    void await_suspend(std::coroutine_handle<> handle) noexcept {
      stream.wait_for_news(handle, deadline);
    }
    Result<size_t> await_resume() { return stream.take_news(); }
  };
  // Waits until input() has grown since the last receive(): the number of bytes it grew by; 0 when
  // the peer will send no more; ETIMEDOUT at the deadline. One caller at a time.
  ReceiveAwaiter receive(Instant deadline) { return ReceiveAwaiter{*this, deadline}; }

  // Whoever is in receive() gets ETIMEDOUT now, and may receive again.
  void stop_waiting();

  // What has arrived since the loop last looked, and will be told soon: Ring::unread().
  ring::Unread unread() const { return ring_.unread(fd_); }

  // The peer has ended its side, or the connection has failed.
  bool ended() const { return end_ != End::open; }
  // The errno of a connection that has failed, else 0.
  int end_error() const { return end_ == End::failed ? error_ : 0; }

  // `action` is called, inside the loop's turn, when bytes or the end arrive while nobody receives.
  // nullptr: no longer; so does stop().
  void on_arrival(Action action, void* context);
  // `action` is called, inside the loop's turn, when a send has ended that nobody awaits. nullptr:
  // no longer; so does close().
  void on_sent(Action action, void* context);

  // Begins to send `parts`, in order, as one run of bytes; they must stay until sent() has
  // returned. Fails with ETIMEDOUT when for `stall_max` not a byte gets away. One send at a time.
  void start_send(std::span<const std::string_view> parts, ring::SendMode mode, Duration stall_max);
  bool sending() const { return send_.submitted; }
  // How the last send ended: >= 0, or -errno. Valid when not sending().
  int32_t send_result() const { return send_.result; }
  // Bytes of the last send that the kernel has taken.
  size_t bytes_sent() const { return static_cast<size_t>(send_.sent); }

  struct SendAwaiter {
    ring::Operation::Awaiter inner;
    bool await_ready() const noexcept { return inner.await_ready(); }
    void await_suspend(std::coroutine_handle<> handle) noexcept { inner.await_suspend(handle); }
    Result<void> await_resume();
  };
  SendAwaiter sent() { return SendAwaiter{send_.completed()}; }

  void stop();
  // Stops, and returns when the socket is closed.
  coro::Task<void> close();
  // Sends FIN, discards what still arrives until the peer's FIN or `patience` has passed, then
  // closes: closing with unread input would reset the connection and with it the answer just sent
  // (RFC 9112 section 9.6).
  coro::Task<void> linger_and_close(Duration patience);

 private:
  enum class End { open, end_of_stream, failed };

  bool has_news() const { return arrived_ > 0 || ended() || stopped_; }
  void wait_for_news(std::coroutine_handle<> handle, Instant deadline);
  Result<size_t> take_news();
  void tell_reader();
  void arm();
  void go_on_receiving();
  bool is_wanted() const;
  bool has_direct_room() const;
  void received();
  void take_bytes();
  void receive_ended();
  static void receive_completed(ring::Operation& operation);
  static void send_completed(ring::Operation& operation);
  static void receive_timed_out(void* stream);

  ring::Ring& ring_;
  int fd_;
  size_t read_ahead_max_;
  Buffer input_;
  size_t arrived_ = 0;  // bytes of input_ that no receive() has told of
  End end_ = End::open;
  int error_ = 0;
  bool stopped_ = false;
  bool timed_out_ = false;
  Direct direct_ = Direct::never;
  Action arrival_action_ = nullptr;
  void* arrival_context_ = nullptr;
  Action sent_action_ = nullptr;
  void* sent_context_ = nullptr;
  coro::ReadyNode reader_;
  ring::Timer receive_timer_;
  ring::Operation receive_;
  ring::Operation send_;
  coro::Event receive_ended_;
  ring::Deferred rearm_;
};

}  // namespace fnkit::net
