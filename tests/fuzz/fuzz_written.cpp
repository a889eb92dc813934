// What we write of a request that we took is the same request to whoever reads it; the same of an
// answer.
#include <algorithm>

#include "fnkit/base/text.hpp"
#include "fnkit/http/message_parser.hpp"
#include "fnkit/http/request_writer.hpp"
#include "fuzz/fuzz.hpp"
#include "http/response_writer.hpp"

namespace fnkit::fuzz {
namespace {

bool is_ours(std::string_view name) {
  return equals_ignoring_case(name, "host") || equals_ignoring_case(name, "content-length") ||
         equals_ignoring_case(name, "transfer-encoding") || equals_ignoring_case(name, "expect") ||
         equals_ignoring_case(name, "connection") || equals_ignoring_case(name, "upgrade");
}

std::vector<http::HeaderField> theirs_of(const http::Request& request) {
  std::vector<http::HeaderField> theirs;
  for (const http::HeaderField& field : request.headers) {
    if (!is_ours(field.name)) theirs.push_back(field);
  }
  return theirs;
}

void write_and_read(const http::Request& request) {
  const size_t mark = std::min(request.target.find('?'), request.target.size());
  http::RequestWriter writer;
  writer.begin(request.method, request.target.substr(0, mark), request.target.substr(mark), "h:80");
  for (const http::HeaderField& field : theirs_of(request)) writer.field(field.name, field.value);
  Buffer input;
  input.append(writer.end(request.method, request.body.size()));
  input.append(request.body);
  http::MessageLimits limits;
  limits.head_bytes_max *= 2;  // Host and Content-Length may be longer than what was there
  limits.header_lines_max += 2;
  http::RequestParser parser(limits);
  auto arrived = parser.advance(input);
  require(arrived && *arrived == http::Arrived::all, "what was written is no request");
  const http::Request read = parser.take(input);
  require(input.empty(), "what was written is more than one request");
  require(
      read.method == request.method && read.target == request.target && read.body == request.body,
      "what was written is another request");
  const auto same = [](const http::HeaderField& a, const http::HeaderField& b) {
    return a.name == b.name && a.value == b.value;
  };
  require(std::ranges::equal(theirs_of(read), theirs_of(request), same),
          "header lines were lost, made up or changed");
}

void answer_and_read(const http::Request& request) {
  std::string head;
  const std::string_view type = request.header("content-type").value_or("");
  http::append_head(head, {299, type, "", "id", request.body.size(), true, 1});
  Buffer input;
  input.append(head);
  input.append(request.body);
  http::ResponseParser parser(http::MessageLimits{});
  parser.begin(false);
  auto arrived = parser.advance(input, false);
  require(arrived && *arrived == http::Arrived::all, "what was answered is no answer");
  const http::IncomingResponse read = parser.take(input);
  require(input.empty() && read.reusable && read.status == 299 && read.content_type == type &&
              read.body.bytes == request.body,
          "what was answered is another answer");
}

}  // namespace
}  // namespace fnkit::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fnkit;
  http::RequestParser parser{http::MessageLimits{}};
  Buffer input;
  input.append(fuzz::text_of(data, size));
  while (true) {
    auto arrived = parser.advance(input);
    if (!arrived || *arrived != http::Arrived::all) return 0;
    const http::Request request = parser.take(input);
    fuzz::write_and_read(request);
    fuzz::answer_and_read(request);
  }
}
