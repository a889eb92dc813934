// The chunked transfer coding, read to the letter: RFC 9112 section 7.1.
#pragma once

#include "fnkit/base/result.hpp"
#include "fnkit/http/message.hpp"

namespace fnkit::http {

// Decodes in place: chunk data moves down over the chunk lines before it. Extensions are checked
// and ignored, trailers are checked and dropped (section 7.1.2: never merged).
class ChunkedDecoder {
 public:
  explicit ChunkedDecoder(const MessageLimits& limits) : limits_(limits) {}

  struct Step {
    size_t consumed;  // raw bytes that are done with
    size_t produced;  // decoded bytes written
    bool complete;    // the last chunk and its trailers have been consumed
  };
  // Decodes as much of the `size` raw bytes at `raw` as is there, to `out` (<= raw, may overlap).
  // What is not consumed must be given again, with more behind it. `decoded` is the body's size
  // so far.
  Result<Step, ProtocolError> decode(char* out, const char* raw, size_t size, size_t decoded);

  void reset();

 private:
  enum class State { size_line, data, data_end, trailer };

  size_t line_bytes_max() const;
  ProtocolError too_long() const;
  Result<void, ProtocolError> read_size_line(std::string_view line, size_t decoded);
  // True when the line is the empty one that ends the message.
  Result<bool, ProtocolError> read_trailer(std::string_view line);

  const MessageLimits& limits_;
  State state_ = State::size_line;
  uint64_t left_ = 0;  // of the current chunk
  size_t extension_bytes_ = 0;
  size_t trailer_bytes_ = 0;
  size_t trailer_lines_ = 0;
};

}  // namespace fnkit::http
