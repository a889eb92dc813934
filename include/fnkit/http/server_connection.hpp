// One caller's connection: requests in, responses out, in order.
#pragma once

#include "fnkit/base/intrusive_list.hpp"
#include "fnkit/base/random.hpp"
#include "fnkit/http/message_parser.hpp"
#include "fnkit/net/stream.hpp"

namespace fnkit::http {

struct ServerOptions {
  MessageLimits limits;
  Duration head_timeout = std::chrono::seconds(10);  // from a request's first byte to its last line
  Duration body_timeout = std::chrono::seconds(30);  // between two reads of a body
  Duration idle_timeout = std::chrono::seconds(75);  // between requests
  Duration write_timeout = std::chrono::seconds(30);  // without a byte getting away
  // What a caller's leaving does to its request in progress.
  bool cancel_when_caller_leaves = true;
};

// Why there is no request, or no more of it: an answer that says so and ends the connection, or
// silence.
using Unreadable = std::optional<Response>;

// The answer to bytes that are no acceptable request. Framing is in doubt, so the connection ends.
Response refusal(const ProtocolError& error);
// The answer to what would need more memory than this thread may hold (Buffer::limit_thread()).
Response holds_too_much();

struct ServerConnectionTag;

// Lives until serve() has returned. `options`, `handler` and `random` must outlive it. One thread.
class ServerConnection : public ListNode<ServerConnectionTag> {
 public:
  // Takes over `fd`.
  ServerConnection(ring::Ring& ring, int fd, Handler& handler, const ServerOptions& options,
                   Random& random);

  // Reads, answers, and again, until the connection ends; then closes it. Every request that was
  // read gets exactly one answer. RFC 9112 section 9.
  coro::Task<void> serve();

  // From now on answers say "Connection: close". A caller that idles may still send a request: it
  // may be on its way.
  void drain();
  // Closes it as soon as no request is in progress or arriving.
  void end_when_idle();
  // Ends now: a request in progress is given up and answered with 503.
  void abandon();

 private:
  friend class Exchange;

  coro::Task<Result<Request, Unreadable>> read_request();
  Instant read_deadline(Arrived arrived, Instant begun_at) const;
  Unreadable when_not_received(const Error& error, Arrived arrived) const;
  coro::Task<Result<void>> send_continue();
  coro::Task<bool> answer(Request& request);
  coro::Task<Result<void>> write_response(const Response& response, bool keep_alive);
  void identify(Request& request);
  static void caller_moved(void* connection);

  ring::Ring& ring_;
  Handler& handler_;
  const ServerOptions& options_;
  Random& random_;
  net::Stream stream_;
  const std::string caller_;
  RequestParser parser_;
  // Of the request that is being answered, as identify() found them.
  std::string request_id_;
  bool to_head_ = false;
  int minor_version_ = 1;

  std::string head_;  // of the response being written
  coro::CancelScope* in_progress_ = nullptr;
  bool idle_ = true;  // no byte of a next request has come
  bool ends_when_idle_ = false;
  bool draining_ = false;
  bool abandoned_ = false;
  bool said_close_ = false;  // an answer that ends the connection has been sent
};

}  // namespace fnkit::http
