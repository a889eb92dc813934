// Requests to functions into bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "fnkit/base/buffer.hpp"

namespace fnkit::http {

// Writes a request's head piece by piece into one buffer: begin(), any number of fields, end().
class RequestWriter {
 public:
  // The request line and Host.
  void begin(std::string_view method, std::string_view path, std::string_view query,
             std::string_view host);
  void field(std::string_view name, std::string_view value);
  // Content-Length, where there is a body or the method is one that has one (RFC 9110 section 8.6),
  // and the empty line. The head stays valid as long as this object.
  std::string_view end(std::string_view method, uint64_t body_bytes);
  // The same for a body whose length is not known.
  std::string_view end_chunked();

 private:
  Buffer out_;
};

}  // namespace fnkit::http
