#include "http/chunked_decoder.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "fnkit/base/text.hpp"
#include "http/syntax.hpp"

namespace fnkit::http {
namespace {

constexpr size_t kSizeDigitsMax = 16;
// Of all chunk lines of a message together: Node needed such a limit after CVE-2024-22019.
constexpr size_t kExtensionBytesMax = 4096;
constexpr size_t kLineBytesMax = kSizeDigitsMax + kExtensionBytesMax + 1;  // and CR
constexpr std::string_view kDataTooLong = "chunk data is longer than its size";
constexpr std::string_view kBadExtension = "malformed chunk extension";
constexpr std::string_view kTrailersTooLarge = "trailers too large";

// *( ";" token [ "=" ( token / quoted-string ) ] ), without the BWS that the RFC lets pass.
bool are_extensions(std::string_view text) {
  size_t at = 0;
  const auto skip_token = [&] {
    const size_t start = at;
    while (at < text.size() && is_token_char(text[at])) ++at;
    return at > start;
  };
  while (at < text.size()) {
    if (text[at++] != ';' || !skip_token()) return false;
    if (at == text.size() || text[at] != '=') continue;
    ++at;
    if (at == text.size() || text[at] != '"') {
      if (!skip_token()) return false;
      continue;
    }
    for (++at; at < text.size() && text[at] != '"'; ++at) {
      if (text[at] == '\\') ++at;
    }
    if (at++ >= text.size()) return false;
  }
  return is_field_value(text);
}

}  // namespace

void ChunkedDecoder::reset() {
  state_ = State::size_line;
  left_ = 0;
  extension_bytes_ = trailer_bytes_ = trailer_lines_ = 0;
}

Result<ChunkedDecoder::Step, ProtocolError> ChunkedDecoder::decode(char* out, const char* raw,
                                                                   size_t size, size_t decoded) {
  Step step{0, 0, false};
  while (step.consumed < size) {
    const char* at = raw + step.consumed;
    const size_t available = size - step.consumed;
    if (state_ == State::data) {
      const size_t taken = static_cast<size_t>(std::min<uint64_t>(left_, available));
      std::memmove(out + step.produced, at, taken);
      step.consumed += taken;
      step.produced += taken;
      left_ -= taken;
      if (left_ == 0) state_ = State::data_end;
      continue;
    }
    const void* found = std::memchr(at, '\n', available);
    if (found == nullptr) {
      if (available > line_bytes_max()) return too_long();
      return step;
    }
    const size_t length = static_cast<size_t>(static_cast<const char*>(found) - at);
    if (length == 0 || at[length - 1] != '\r') {
      return ProtocolError{400, "a chunk line does not end with CRLF"};
    }
    const std::string_view line(at, length - 1);
    step.consumed += length + 1;
    if (state_ == State::size_line) {
      auto read = read_size_line(line, decoded + step.produced);
      if (!read) return read.error();
    } else if (state_ == State::data_end) {
      if (!line.empty()) return ProtocolError{400, kDataTooLong};
      state_ = State::size_line;
    } else {
      auto last = read_trailer(line);
      if (!last) return last.error();
      step.complete = *last;
      if (step.complete) return step;
    }
  }
  return step;
}

// What may arrive of a line before its end.
size_t ChunkedDecoder::line_bytes_max() const {
  if (state_ == State::data_end) return 1;
  return state_ == State::size_line ? kLineBytesMax : limits_.head_bytes_max;
}

// The same that is said of the line once it is complete, so that the cut makes no difference.
ProtocolError ChunkedDecoder::too_long() const {
  if (state_ == State::data_end) return {400, kDataTooLong};
  if (state_ == State::size_line) return {400, kBadExtension};
  return {431, kTrailersTooLarge};
}

Result<void, ProtocolError> ChunkedDecoder::read_size_line(std::string_view line, size_t decoded) {
  const size_t digits = std::min(line.find(';'), line.size());
  const std::string_view extensions = line.substr(digits);
  extension_bytes_ += extensions.size();
  const auto [end, error] = std::from_chars(line.data(), line.data() + digits, left_, 16);
  if (digits == 0 || digits > kSizeDigitsMax || error != std::errc() ||
      end != line.data() + digits) {
    return ProtocolError{400, "malformed chunk size"};
  }
  if (extension_bytes_ > kExtensionBytesMax || !are_extensions(extensions)) {
    return ProtocolError{400, kBadExtension};
  }
  if (left_ > limits_.body_bytes_max - decoded) return ProtocolError{413, "body too large"};
  state_ = left_ == 0 ? State::trailer : State::data;
  return {};
}

Result<bool, ProtocolError> ChunkedDecoder::read_trailer(std::string_view line) {
  if (line.empty()) return true;
  trailer_bytes_ += line.size() + 2;
  if (trailer_bytes_ > limits_.head_bytes_max || ++trailer_lines_ > limits_.header_lines_max) {
    return ProtocolError{431, kTrailersTooLarge};
  }
  if (!is_field_line(line)) return ProtocolError{400, "malformed trailer"};
  return false;
}

}  // namespace fnkit::http
