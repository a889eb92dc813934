// A call to a function whose body, and whose answer's, go by in parts as they come.
#pragma once

#include <memory>

#include "fnkit/http/client_pool.hpp"
#include "fnkit/net/stream.hpp"

namespace fnkit::http {

class BodyWriter;

// Has a connection of its own, for the one call. Sending and reading may go on side by side, each
// by one caller at a time. One thread.
class StreamedCall {
 public:
  // A connection to `endpoint`, owned by the caller: to one of its addresses that a function may
  // have, each tried once. Ends soon after `scope` is cancelled.
  static coro::Task<Result<int, CallError>> connect(ring::Ring& ring, net::Resolver& resolver,
                                                    Random& random, const Endpoint& endpoint,
                                                    Instant deadline, coro::CancelScope& scope);

  // Takes over `fd`. Of `options` the limits of heads and the time to write count; the answer's
  // body has no limit. `silence_max`: so long may nothing move either way.
  StreamedCall(ring::Ring& ring, int fd, const ClientOptions& options, Duration silence_max);
  ~StreamedCall();

  // `head` is a request's, with its empty line; it leaves with the first part. `chunked` says how
  // it tells the end of the body.
  void begin(std::string_view head, bool chunked, bool is_head);
  // `bytes` must stay until it has returned. That the function reads no more of it is no failure of
  // the call where it answers; not_read: it takes no byte.
  coro::Task<Result<void, CallError>> send(std::string_view bytes, bool last);

  // Interim answers are skipped.
  coro::Task<Result<IncomingHead, CallError>> answer_head();
  // After that: what has come of the body, which may be nothing.
  BodyPart part_here();
  // Waits for more of it.
  coro::Task<Result<BodyPart, CallError>> next_part();

  // Every wait ends: cancelled.
  void stop();
  coro::Task<void> close();

 private:
  coro::Task<Result<Arrived, CallError>> read_more();

  ring::Ring& ring_;
  const ClientOptions& options_;
  const Duration silence_max_;
  net::Stream stream_;
  const std::unique_ptr<BodyWriter> writer_;
  ResponseParser parser_;
  Instant moved_at_;
};

}  // namespace fnkit::http
