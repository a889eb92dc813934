// One connection to a function: a request out, its answer in.
#pragma once

#include "fnkit/base/intrusive_list.hpp"
#include "fnkit/http/message_parser.hpp"
#include "fnkit/net/stream.hpp"

namespace fnkit::http {

// A call's bytes; they must stay until the call has returned.
struct OutgoingRequest {
  std::string_view head;  // request line, headers and the empty line
  std::string_view body;
  bool is_head = false;     // method HEAD
  bool may_repeat = false;  // idempotent: sending it twice does no harm
};

// Why a call has no answer.
struct CallError {
  enum class Kind {
    unreachable,  // no connection could be had
    broken,       // the connection ended before the answer was complete
    protocol,     // the answer is no acceptable HTTP
    timeout,
    overloaded,  // too many calls wait already
    cancelled,
  };
  Kind kind;
  std::string detail;  // for a person
};

struct ClientOptions {
  MessageLimits limits;  // of an answer; body_bytes_max is the largest answer taken
  Duration connect_timeout = std::chrono::seconds(5);
  Duration write_timeout = std::chrono::seconds(30);        // without a byte getting away
  Duration idle_timeout = std::chrono::milliseconds(1500);  // without a Keep-Alive promise
  Duration idle_timeout_max = std::chrono::seconds(60);
  size_t connections_max = 64;  // to one function
  size_t waiting_max = 1024;    // calls waiting for a connection to one function
};

struct IdleTag;

// Made connected. exchange() may be called again while reusable() holds; while idle it watches for
// the peer's end, and for bytes that nobody asked for, and tells `Owner`. One thread.
class ClientConnection : public ListNode<IdleTag> {
 public:
  struct Owner {
    virtual ~Owner() = default;
    // An idle connection must not be used again: its peer ended it, sent something, or its time is
    // over.
    virtual void idle_ended(ClientConnection& connection) = 0;
  };

  // Takes over `fd`. `options` and `owner` must outlive it.
  ClientConnection(ring::Ring& ring, int fd, const ClientOptions& options, Owner& owner);

  // Sends and reads the answer. A failure ends the connection for further use.
  coro::Task<Result<IncomingResponse, CallError>> exchange(const OutgoingRequest& request,
                                                           Instant deadline,
                                                           coro::CancelScope& scope);

  // Another exchange() is possible now. Not so where the last one was given up just as its answer
  // had arrived.
  bool reusable() const { return reusable_ && !stream_.ended() && !stream_.stopped(); }
  // At least one exchange() has succeeded here.
  bool used() const { return used_; }
  // The last exchange() failed before the kernel took a byte of it; so it may be sent elsewhere.
  bool nothing_was_sent() const { return nothing_sent_; }
  // The last exchange() failed before a byte of an answer came.
  bool nothing_was_received() const { return nothing_received_; }

  // Between exchanges: starts and ends the watch.
  void rest();
  void wake();

  coro::Task<void> close();

 private:
  CallError when_not_received(const Error& error, coro::CancelScope& scope) const;
  coro::Task<std::optional<CallError>> receive_answer(Instant deadline, coro::CancelScope& scope);
  void keep_promise(std::string_view keep_alive);
  static void stop_stream(void* connection);
  static void something_arrived(void* connection);
  static void idle_over(void* connection);

  ring::Ring& ring_;
  const ClientOptions& options_;
  Owner& owner_;
  net::Stream stream_;
  ResponseParser parser_;
  ring::Timer idle_timer_;
  Duration idle_timeout_;
  bool reusable_ = true;
  bool used_ = false;
  bool nothing_sent_ = true;
  bool nothing_received_ = true;
};

}  // namespace fnkit::http
