// The strict look at a message's head before llhttp sees it, whatever llhttp's version lets pass.
#pragma once

#include "fnkit/base/result.hpp"
#include "fnkit/http/message.hpp"

namespace fnkit::http {

enum class MessageKind { request, response };

// Finds the end of a head as its bytes arrive and refuses: line ends other than CRLF, NUL and other
// control bytes, obs-fold, names that are no token, space before a colon, a start line that is not
// to the letter of RFC 9112 sections 3 and 4, and anything over the limits.
class HeadScanner {
 public:
  // `limits` must outlive this.
  HeadScanner(MessageKind kind, const MessageLimits& limits) : kind_(kind), limits_(limits) {}

  // `bytes` begins with the message's first byte and holds all that has arrived of it, more with
  // each call. Yields the head's size including its empty line; 0 where more is needed.
  Result<size_t, ProtocolError> scan(std::string_view bytes);

  void reset() { line_start_ = searched_ = lines_ = 0; }

 private:
  Result<void, ProtocolError> check_line(std::string_view line);
  Result<void, ProtocolError> check_unfinished(std::string_view bytes) const;
  ProtocolError too_large(std::string_view bytes) const;

  MessageKind kind_;
  const MessageLimits& limits_;
  size_t line_start_ = 0;
  size_t searched_ = 0;
  size_t lines_ = 0;  // complete ones, the start line included
};

}  // namespace fnkit::http
