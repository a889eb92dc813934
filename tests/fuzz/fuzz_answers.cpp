// Functions' answers as bytes: whole and in pieces they are the same. The first byte says whether
// HEAD was asked for, and whether the function ends the connection.
#include "fnkit/http/message_parser.hpp"
#include "fuzz/fuzz.hpp"

namespace fnkit::fuzz {
namespace {

std::string read(const Pieces& pieces, bool to_head, bool ends) {
  http::MessageLimits limits;
  limits.body_bytes_max = 64 * 1024;
  http::ResponseParser parser(limits);
  Buffer input;
  std::string seen;
  parser.begin(to_head);
  const auto advance = [&](bool ended) {
    while (true) {
      auto arrived = parser.advance(input, ended);
      if (!arrived) {
        require(arrived.error().status == 502, "an answer is refused with something else than 502");
        seen += "refused";
        return false;
      }
      if (*arrived != http::Arrived::all) return true;
      const http::IncomingResponse answer = parser.take(input);
      require(answer.status >= 200 && answer.status <= 999, "no final status");
      require(!to_head || answer.body.bytes.empty(), "a body in answer to HEAD");
      seen += std::to_string(answer.status);
      for (const std::string_view part :
           {answer.content_type, answer.content_encoding, answer.keep_alive, answer.retry_after,
            answer.body.bytes}) {
        seen.append("\n").append(part);
      }
      if (!answer.reusable) return false;
      seen += "\nstays\n";
      parser.begin(to_head);
      if (input.empty()) return true;
    }
  };
  for (const std::string& piece : pieces) {
    input.append(piece);
    if (!advance(false)) return seen;
  }
  if (ends) advance(true);
  return seen;
}

}  // namespace
}  // namespace fnkit::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fnkit::fuzz;
  if (size == 0) return 0;
  const bool to_head = (data[0] & 1) != 0;
  const bool ends = (data[0] & 2) != 0;
  read_alike(text_of(data + 1, size - 1),
             [=](const Pieces& pieces) { return read(pieces, to_head, ends); });
  require(fnkit::Buffer::bytes_held_by_thread() == 0, "memory is still held");
  return 0;
}
