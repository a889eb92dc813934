// A complete, scanned head into its parts, by llhttp, with the guards that stand on top of it.
#pragma once

#include <vector>

#include "http/head_scanner.hpp"

namespace fnkit::http {

// How the length of a message's body is told: RFC 9112 section 6.3.
enum class Framing { none, length, chunked, until_close };

// Views point into the head that was parsed. Reused from message to message for its memory.
struct Head {
  std::string_view method;     // request
  std::string_view target;     // request: origin-form or "*"
  std::string_view authority;  // request: an absolute-form's, else Host's value
  int status = 0;              // response
  int minor_version = 1;
  std::vector<HeaderField> fields;
  Framing framing = Framing::none;
  uint64_t content_length = 0;  // Framing::length
  bool keep_alive = false;
  bool expects_continue = false;

  // The bytes have moved by `distance`.
  void rebase(std::ptrdiff_t distance);
};

// `text` is a whole head that HeadScanner has passed. `to_head_request`: the response answers HEAD,
// so it has no body whatever it says.
Result<void, ProtocolError> parse_request_head(std::string_view text, Head& head);
Result<void, ProtocolError> parse_response_head(std::string_view text, bool to_head_request,
                                                Head& head);

}  // namespace fnkit::http
