#include "http/head_scanner.hpp"

#include <algorithm>
#include <cstring>

#include "fnkit/base/text.hpp"
#include "http/syntax.hpp"

namespace fnkit::http {
namespace {

using Checked = Result<void, ProtocolError>;

constexpr size_t kMethodBytesMax = 32;
constexpr size_t kReasonPhraseBytesMax = 1024;
constexpr std::string_view kBadRequestLine = "malformed request line";
constexpr std::string_view kBadStatusLine = "malformed status line";

Checked check_version(std::string_view version) {
  const bool well_formed = version.size() == 8 && version.substr(0, 5) == "HTTP/" &&
                           is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
  if (!well_formed) return ProtocolError{400, "malformed HTTP version"};
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return ProtocolError{505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  }
  return {};
}

Checked check_request_line(std::string_view line, const MessageLimits& limits) {
  const size_t method_end = line.find(' ');
  const std::string_view method = line.substr(0, method_end);
  if (!is_token(method)) return ProtocolError{400, kBadRequestLine};
  if (method.size() > kMethodBytesMax) return ProtocolError{501, "unknown method"};
  if (method_end == std::string_view::npos) return ProtocolError{400, kBadRequestLine};
  const size_t target_end = line.find(' ', method_end + 1);
  if (target_end == std::string_view::npos) return ProtocolError{400, kBadRequestLine};
  const std::string_view target = line.substr(method_end + 1, target_end - method_end - 1);
  if (target.size() > limits.target_bytes_max) return ProtocolError{414, "target too long"};
  if (target.empty()) return ProtocolError{400, kBadRequestLine};
  for (const char c : target) {
    if (!is_target_char(c)) return ProtocolError{400, "forbidden character in the target"};
  }
  return check_version(line.substr(target_end + 1));
}

Checked check_status_line(std::string_view line) {
  if (line.size() < 12 || line[8] != ' ') return ProtocolError{502, kBadStatusLine};
  if (Checked version = check_version(line.substr(0, 8)); !version) {
    return ProtocolError{502, "unsupported HTTP version"};
  }
  const bool status_ok = line[9] >= '1' && line[9] <= '5' && is_digit(line[10]) &&
                         is_digit(line[11]) && (line.size() == 12 || line[12] == ' ');
  if (!status_ok) return ProtocolError{502, kBadStatusLine};
  const std::string_view reason = line.substr(std::min<size_t>(line.size(), 13));
  if (reason.size() > kReasonPhraseBytesMax || !is_field_value(reason)) {
    return ProtocolError{502, "malformed reason phrase"};
  }
  return {};
}

}  // namespace

Result<size_t, ProtocolError> HeadScanner::scan(std::string_view bytes) {
  while (searched_ < bytes.size()) {
    const void* found = std::memchr(bytes.data() + searched_, '\n', bytes.size() - searched_);
    if (found == nullptr) break;
    const size_t end = static_cast<size_t>(static_cast<const char*>(found) - bytes.data());
    if (end + 1 > limits_.head_bytes_max) return too_large(bytes);
    if (end == line_start_ || bytes[end - 1] != '\r') {
      return ProtocolError{400, "a line does not end with CRLF"};
    }
    const std::string_view line = bytes.substr(line_start_, end - 1 - line_start_);
    line_start_ = searched_ = end + 1;
    if (line.empty() && lines_ > 0) return line_start_;
    if (Result<void, ProtocolError> checked = check_line(line); !checked) return checked.error();
  }
  searched_ = bytes.size();
  if (Result<void, ProtocolError> checked = check_unfinished(bytes); !checked) {
    return checked.error();
  }
  return size_t{0};
}

Result<void, ProtocolError> HeadScanner::check_line(std::string_view line) {
  if (lines_++ == 0) {
    return kind_ == MessageKind::request ? check_request_line(line, limits_)
                                         : check_status_line(line);
  }
  if (lines_ - 1 > limits_.header_lines_max) return ProtocolError{431, "too many header lines"};
  if (!is_field_line(line)) return ProtocolError{400, "malformed header line"};
  return {};
}

// What can be known to be wrong before a line's end has come, so that neither a flood without line
// ends nor another protocol is waited for.
Result<void, ProtocolError> HeadScanner::check_unfinished(std::string_view bytes) const {
  const std::string_view line = bytes.substr(line_start_);
  if (lines_ == 0 && !line.empty() && !is_token_char(line.front())) {
    return ProtocolError{400, kind_ == MessageKind::request ? kBadRequestLine : kBadStatusLine};
  }
  if (bytes.size() <= limits_.head_bytes_max) return {};
  return too_large(bytes);
}

// Whatever the cut: only the bytes up to the limit decide.
ProtocolError HeadScanner::too_large(std::string_view bytes) const {
  if (lines_ > 0 || kind_ == MessageKind::response) return {431, "head too large"};
  const size_t method_end = bytes.substr(0, limits_.head_bytes_max).find(' ');
  if (method_end > kMethodBytesMax) return {501, "unknown method"};
  return {414, "target too long"};
}

}  // namespace fnkit::http
