// Bytes as they arrive into whole messages: framing apart from I/O.
#pragma once

#include <memory>

#include "fnkit/base/result.hpp"
#include "fnkit/http/message.hpp"

namespace fnkit::http {

// A response as it came. Views point into body.storage.
struct IncomingResponse {
  int status = 0;
  std::string_view content_type;      // empty where there is none
  std::string_view content_encoding;  // empty where there is none
  std::string_view keep_alive;        // the Keep-Alive header's value
  std::string_view retry_after;       // the Retry-After header's value
  Body body;
  bool reusable = false;  // the connection may carry another request
};

// A response's head alone. Views point into `storage`.
struct IncomingHead {
  Buffer storage;
  int status = 0;
  std::span<const HeaderField> headers;  // ends with the next response
  std::optional<uint64_t> body_bytes;    // nothing: not known before its end
  bool reusable = false;                 // the connection may carry another request
};

// Some bytes of a body, decoded; none where only its end, or nothing, has come.
struct BodyPart {
  Buffer bytes;
  bool last = false;
};

// How far a message has come.
enum class Arrived { not_yet, head, all };

// Reads one message after another from a connection's input buffer. Works for any cut of the bytes;
// looks at each byte once. It bounds the buffer: more than the limits is an error.
class RequestParser {
 public:
  explicit RequestParser(const MessageLimits& limits);
  ~RequestParser();

  // Looks at what has been appended to `input` since the last call. `head`: the head is complete
  // and body bytes are missing. `all`: take() it.
  Result<Arrived, ProtocolError> advance(Buffer& input);

  // Something of the next request has arrived.
  bool begun(const Buffer& input) const { return !input.empty(); }

  // The request so far (after `head`): its views end with the next advance().
  Request peek(const Buffer& input) const;
  bool expects_continue() const;
  // The head asks for the connection to stay open. Valid from `head` on until the next advance().
  bool keep_alive() const;
  // Something of the body has arrived.
  bool body_begun() const;
  // peek() works, also after an error: the head's lines are known, whether or not they make sense.
  bool has_head() const;

  // The complete message, cut out of `input`; ready for the next.
  Request take(Buffer& input);

  // For a body that is not to be held: after `head` or `all` the head alone, then after each
  // advance() what has come of the body. After the last part it is ready for the next message.
  Request take_head(Buffer& input);
  BodyPart take_part(Buffer& input);
  // The head has been taken and the last part has not.
  bool in_parts() const;
  // Of the body, in bytes; nothing: not known before its end. Valid as keep_alive() is.
  std::optional<uint64_t> body_length() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

class ResponseParser {
 public:
  explicit ResponseParser(const MessageLimits& limits);
  ~ResponseParser();

  // Before each response. `to_head_request`: it answers a HEAD, so it has no body.
  void begin(bool to_head_request);

  // `ended`: the peer will send no more (RFC 9112 section 8: an incomplete message is an error).
  // Interim (1xx) answers are skipped, but for 101, which was never asked for, and for more than
  // 16. Every error is a 502.
  Result<Arrived, ProtocolError> advance(Buffer& input, bool ended);

  IncomingResponse take(Buffer& input);

  // As RequestParser's; begin() before the next response.
  IncomingHead take_head(Buffer& input);
  BodyPart take_part(Buffer& input);

 private:
  Result<Arrived, ProtocolError> read(Buffer& input, bool ended);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fnkit::http
