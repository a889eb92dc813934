// A message that leaves in parts, as they come.
#pragma once

#include <string>

#include "fnkit/http/message_parser.hpp"
#include "fnkit/net/stream.hpp"

namespace fnkit::http {

// How a body's end is told: RFC 9112 section 6. `plain`: by the head, or by the connection's end.
enum class BodyFraming { plain, chunked };

class BodyWriter {
 public:
  // `stream` must outlive it.
  explicit BodyWriter(net::Stream& stream) : stream_(stream) {}

  // `head` is a message's, with its empty line. It leaves with the first part.
  void begin(std::string_view head, BodyFraming framing);

  // Sends what has not left yet: of the head, and `bytes`, which must stay until it has returned;
  // `last`: no more follow. Fails with ETIMEDOUT when for `stall_max` not a byte gets away.
  coro::Task<Result<void>> write(std::string_view bytes, bool last, Duration stall_max);

 private:
  net::Stream& stream_;
  std::string before_;  // goes before the next bytes
  bool chunked_ = false;
};

}  // namespace fnkit::http
