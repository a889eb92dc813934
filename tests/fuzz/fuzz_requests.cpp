// Requests as bytes: whole and in pieces they are the same messages and refusals.
#include "fnkit/coro/frame_pool.hpp"
#include "fnkit/http/message_parser.hpp"
#include "fuzz/fuzz.hpp"
#include "http/head_scanner.hpp"

namespace fnkit::fuzz {
namespace {

constexpr http::MessageLimits kLimits;

std::string read_all(const Pieces& pieces) {
  http::RequestParser parser(kLimits);
  Buffer input;
  std::string seen;
  for (const std::string& piece : pieces) {
    input.append(piece);
    while (true) {
      auto arrived = parser.advance(input);
      if (!arrived) return seen + "refused with " + std::to_string(arrived.error().status);
      if (*arrived != http::Arrived::all) break;
      const bool stays = parser.keep_alive();
      const http::Request request = parser.take(input);
      seen.append(request.method).append(" ").append(request.target).append("\n");
      for (const http::HeaderField& field : request.headers) {
        seen.append(field.name).append("=").append(field.value).append("\n");
        require(field.value.find_first_of(std::string_view("\r\n\0", 3)) == field.value.npos,
                "a value with a line end or NUL came through");
      }
      seen.append(request.body).append(stays ? "\nstays\n" : "\nends\n");
      if (!stays) return seen;
    }
  }
  return seen;
}

// An empty line before a request is taken away by the parser (RFC 9112 section 2.2).
bool scanner_refuses(std::string_view bytes) {
  return !bytes.starts_with('\r') &&
         !http::HeadScanner(http::MessageKind::request, kLimits).scan(bytes);
}

}  // namespace
}  // namespace fnkit::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fnkit::fuzz;
  const std::string seen = read_alike(text_of(data, size), read_all);
  require(seen.starts_with("refused") || !scanner_refuses(text_of(data, size)),
          "what the scanner refuses came through");
  require(fnkit::Buffer::bytes_held_by_thread() == 0, "memory is still held");
  return 0;
}
