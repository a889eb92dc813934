// Responses into bytes.
#pragma once

#include <string>

#include "fnkit/http/message.hpp"

namespace fnkit::http {

struct ResponseHead {
  int status;
  std::string_view content_type;
  std::string_view extra_headers;
  std::string_view request_id;
  std::optional<size_t> body_bytes;  // nothing: not known (an answer to HEAD)
  bool keep_alive;
  int request_minor_version;  // an HTTP/1.0 caller is told that its connection stays open
  bool has_date = false;      // among extra_headers
};

// Appends status line, headers and empty line. Content-Length is left out for 204 and 304
// (RFC 9110 section 8.6).
void append_head(std::string& out, const ResponseHead& head);

// The value of Date (IMF-fixdate, RFC 9110 section 5.6.7) for now; made once a second and thread.
std::string_view date_now();

}  // namespace fnkit::http
