// What HTTP/1 messages are to the rest of the program.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fnkit/base/buffer.hpp"
#include "fnkit/coro/cancellation.hpp"
#include "fnkit/coro/task.hpp"

namespace fnkit::http {

struct HeaderField {
  std::string_view name;
  std::string_view value;
};

// The value of the first field called `name` (ignoring case); nullopt where there is none.
std::optional<std::string_view> find_header(std::span<const HeaderField> fields,
                                            std::string_view name);

// Of `fields` those that are for whoever gets the message in the end, and not for this connection:
// RFC 9110 section 7.6.1.
std::vector<HeaderField> end_to_end(std::span<const HeaderField> fields);

// The peer's bytes are no acceptable HTTP: the status that says so, and why.
struct ProtocolError {
  int status;
  std::string_view reason;  // a literal
};

// Bytes of a message, and what keeps them alive: `storage`, or (where that is empty) somebody who
// outlives this.
struct Body {
  std::string_view bytes;
  Buffer storage;

  // A copy of `text`.
  static Body copy_of(std::string_view text);
};

class Exchange;

// A request as it came. All views point into `storage`; `headers` ends with the next request.
struct Request {
  Buffer storage;
  std::string_view method;
  std::string_view target;  // origin-form (or "*"): an absolute-form's scheme and authority are off
  std::string_view authority;  // of an absolute-form, else Host's value; empty: neither
  int minor_version = 1;       // HTTP/1.x
  std::span<const HeaderField> headers;
  std::string_view body;
  std::string_view request_id;               // the caller's x-request-id, or a new one
  std::string_view caller;                   // its address, empty where it has none
  coro::CancelScope* caller_gone = nullptr;  // cancelled when the caller's connection ends
  Exchange* exchange = nullptr;              // for what is to go by in parts

  std::optional<std::string_view> header(std::string_view name) const {
    return find_header(headers, name);
  }
};

struct Response {
  int status = 200;
  std::string_view content_type;  // of a literal or in `body.storage`; empty: none is sent
  std::string extra_headers;      // whole lines, each "name: value\r\n"
  Body body;
  bool close = false;     // the connection ends with this answer
  bool has_date = false;  // among extra_headers
};

// {"error":"<message>"} with `status`; `message` needs no escaping.
Response error_response(int status, std::string_view message);
// 503 with Retry-After: it may be asked again in a second.
inline constexpr std::string_view kRetryAfter = "retry-after: 1\r\n";
Response retry_later(std::string_view message);
// `text` as application/json.
Response json_response(int status, std::string_view text);

// "OK" for 200 and so on; "Unknown" for what RFC 9110 does not name.
std::string_view reason_phrase(int status);

// What becomes of a request whose body is still to come.
struct Admission {
  std::optional<Response> refusal;  // the answer; the body is not read
  // handle() is called now, with request.body empty, and reads it by request.exchange.
  bool in_parts = false;
};

// Who answers requests.
struct Handler {
  virtual ~Handler() = default;
  // Called where a request has a body that is still to come: a refusal saves reading it (and
  // sending "100 Continue"). `head` has no body yet.
  virtual Admission admit(const Request& head) = 0;
  // Always yields a response; it is not sent where one has begun by request.exchange. `request`
  // lives until it has been sent.
  virtual coro::Task<Response> handle(Request& request) = 0;
  // A request was not read to its end, because admit() refused or because it cannot be read; a
  // response of `status` is being sent. `head` is what is known of it, `in_body` how far it came.
  virtual void not_read(const Request& /*head*/, int /*status*/, bool /*in_body*/) {}
};

// What is accepted of a message before it is refused; bytes.
struct MessageLimits {
  size_t target_bytes_max = 8 * 1024;
  size_t head_bytes_max = 16 * 1024;
  size_t header_lines_max = 100;
  size_t body_bytes_max = 16 * 1024 * 1024;
};

}  // namespace fnkit::http
