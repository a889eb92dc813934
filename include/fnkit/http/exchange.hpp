// A request whose body goes by in parts, as they come, and so does its answer's.
#pragma once

#include "fnkit/http/server_connection.hpp"

namespace fnkit::http {

class BodyWriter;

// Belongs to the connection, for as long as the request is handled. Reading and writing may go on
// side by side, each by one caller at a time. One thread.
class Exchange {
 public:
  explicit Exchange(ServerConnection& connection);
  ~Exchange();

  // --- the request's body, behind what is in request.body
  // Nothing more is to come of it.
  bool is_read() const;
  // All of it, in bytes; nothing: not known before its end.
  std::optional<uint64_t> body_bytes() const;
  // Waits for more. Its errors are those of a request that cannot be read; silence as well where
  // stop_reading() was called.
  coro::Task<Result<BodyPart, Unreadable>> next_part();
  void stop_reading();
  // The caller has left before all of its request had come: nobody waits for an answer.
  bool caller_left() const { return caller_left_; }

  // --- the answer
  // Status and headers of `head` (not its body) leave with the first part. `body_bytes`: nothing
  // where it is not known before its end. To HEAD, 204 and 304 no body is sent, and its length, if
  // any, is among the headers.
  void begin(const Response& head, std::optional<uint64_t> body_bytes);
  // `bytes` must stay until it has returned; none: what is left of the head leaves. After an error
  // nothing more can be sent. An answer that never gets its last part ends the connection.
  coro::Task<Result<void>> write(std::string_view bytes, bool last);

  bool begun() const { return writer_ != nullptr; }
  // Its last part has left.
  bool complete() const { return complete_; }
  // The caller was told that its connection stays.
  bool keeps_alive() const { return keeps_alive_; }

 private:
  ServerConnection& connection_;
  std::unique_ptr<BodyWriter> writer_;
  bool stopped_reading_ = false;
  bool caller_left_ = false;
  bool bodiless_ = false;
  bool complete_ = false;
  bool keeps_alive_ = false;
};

}  // namespace fnkit::http
