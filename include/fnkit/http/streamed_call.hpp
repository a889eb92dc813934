// A call to a function whose body, and whose answer's, go by in parts as they come.
#pragma once

#include <memory>

#include "fnkit/http/exclusive_pool.hpp"

namespace fnkit::http {

class BodyWriter;

// Has a connection for itself as long as it lasts. Sending and reading may go on side by side, each
// by one caller at a time. One thread.
class StreamedCall {
 public:
  // Of `options` the limits of heads and the time to write count; the answer's body has no limit.
  // `silence_max`: so long may nothing move either way.
  StreamedCall(ring::Ring& ring, ExclusivePool::Connection connection, const ClientOptions& options,
               Duration silence_max);
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

  // Something of the request has been taken by the kernel; something of an answer has come.
  bool was_sent() const { return sent_; }
  bool was_answered() const { return answered_; }
  // How long the connection, behind this whole call, may idle for the next; zero: not at all.
  Duration idle_time() const;

  // Every wait ends: cancelled.
  void stop();
  // Gives the connection up, for others or to be closed; nobody may send or read.
  ExclusivePool::Connection release();

 private:
  coro::Task<Result<Arrived, CallError>> read_more();

  ring::Ring& ring_;
  const ClientOptions& options_;
  const Duration silence_max_;
  ExclusivePool::Connection connection_;
  const std::unique_ptr<BodyWriter> writer_;
  ResponseParser parser_;
  Instant moved_at_;
  Duration idle_time_ = Duration::zero();  // as the answer's head has it
  bool sent_ = false;
  bool sent_all_ = false;
  bool answered_ = false;
  bool answered_all_ = false;
};

}  // namespace fnkit::http
