// The table of requests as bytes, and what becomes of each by somebody else's word.
//
// Made from the hostile cases gathered in HTTP.md from RFC 9110, 9112, nginx-tests and Http11Probe;
// the odd neighbours of each by the same sources. Run through the parser, the server, pipelined and
// cut at every byte.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace fnkit::test {

// What the connection is good for afterwards.
enum class After { keep, close, either };
// What a case needs besides its bytes: a server that asks for a token, or an end behind the bytes.
enum class Asks { for_nothing, for_token, for_end };

struct RequestCase {
  const char* id;
  const char* name;
  std::string bytes;
  // Statuses in order, "200 200"; alternatives between " or "; "silence" is a close without answer.
  std::string_view answers;
  After after;
  const char* source;
  Asks asks = Asks::for_nothing;
};

// All of the below.
const std::vector<RequestCase>& request_cases();
std::vector<RequestCase> content_length_cases();
std::vector<RequestCase> transfer_encoding_cases();
std::vector<RequestCase> chunk_cases();
std::vector<RequestCase> chunk_extension_cases();
std::vector<RequestCase> trailer_cases();
std::vector<RequestCase> header_cases();
std::vector<RequestCase> request_line_cases();
std::vector<RequestCase> target_cases();
std::vector<RequestCase> host_cases();
std::vector<RequestCase> connection_cases();

// True when `answers` ("200 400"; "silence") is one of the alternatives in `required`.
bool is_required(std::string_view required, std::string_view answers);

using Parts = std::initializer_list<std::string_view>;
std::string repeat(std::string_view what, size_t times);
std::string raw(Parts parts);
// "GET /livez" with a Host, then `rest`.
std::string get(Parts rest);
// "POST /orchestrate/echo" with a Host, then `rest`.
std::string post(Parts rest);
// The same with "Transfer-Encoding: chunked", then the body as it is on the wire.
std::string chunked(Parts body);

// Every place where cutting `bytes` in two is worth a try: all of a short text, of a long one its
// beginning, its end, the neighbourhood of powers of two, and some at random.
std::vector<size_t> cuts_of(std::string_view bytes);

}  // namespace fnkit::test
