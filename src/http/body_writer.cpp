#include "http/body_writer.hpp"

#include <array>
#include <charconv>

namespace fnkit::http {
namespace {

void append_hex(std::string& out, size_t number) {
  std::array<char, 16> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  out.append(digits.data(), end);
}

}  // namespace

void BodyWriter::begin(std::string_view head, BodyFraming framing) {
  before_ = head;
  chunked_ = framing == BodyFraming::chunked;
}

// RFC 9112 section 7.1: a chunk of size 0 is the last, so no part is sent as one.
coro::Task<Result<void>> BodyWriter::write(std::string_view bytes, bool last, Duration stall_max) {
  std::string_view after;
  if (chunked_ && !bytes.empty()) {
    append_hex(before_, bytes.size());
    before_ += "\r\n";
    after = last ? "\r\n0\r\n\r\n" : "\r\n";
  } else if (chunked_ && last) {
    after = "0\r\n\r\n";
  }
  const std::string_view parts[] = {before_, bytes, after};
  if (before_.empty() && bytes.empty() && after.empty()) co_return Result<void>();
  stream_.start_send(parts, ring::SendMode::prompt, stall_max);
  Result<void> sent = co_await stream_.sent();
  before_.clear();
  co_return sent;
}

}  // namespace fnkit::http
