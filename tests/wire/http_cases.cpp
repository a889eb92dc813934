#include "wire/http_cases.hpp"

#include <algorithm>
#include <set>

#include "fnkit/base/random.hpp"

namespace fnkit::test {

const std::vector<RequestCase>& request_cases() {
  static const std::vector<RequestCase> all = [] {
    std::vector<RequestCase> collected;
    for (auto& part : {content_length_cases(), transfer_encoding_cases(), chunk_cases(),
                       chunk_extension_cases(), trailer_cases(), header_cases(),
                       request_line_cases(), target_cases(), host_cases(), connection_cases()}) {
      collected.insert(collected.end(), part.begin(), part.end());
    }
    return collected;
  }();
  return all;
}

bool is_required(std::string_view required, std::string_view answers) {
  static constexpr std::string_view kOr = " or ";
  while (true) {
    const size_t end = required.find(kOr);
    if (required.substr(0, end) == answers) return true;
    if (end == std::string_view::npos) return false;
    required.remove_prefix(end + kOr.size());
  }
}

std::string repeat(std::string_view what, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) text += what;
  return text;
}

std::string raw(Parts parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

std::string get(Parts rest) { return "GET /livez HTTP/1.1\r\nHost: t\r\n" + raw(rest); }

std::string post(Parts rest) {
  return "POST /orchestrate/echo HTTP/1.1\r\nHost: t\r\n" + raw(rest);
}

std::string chunked(Parts body) { return post({"Transfer-Encoding: chunked\r\n\r\n"}) + raw(body); }

std::vector<size_t> cuts_of(std::string_view bytes) {
  constexpr size_t kShort = 1500;
  constexpr size_t kEnds = 60;
  constexpr unsigned kAtRandom = 40;
  std::set<size_t> cuts;
  const size_t size = bytes.size();
  for (size_t at = 0; at <= size; ++at) {
    if (size <= kShort || at < kEnds || at + kEnds > size) cuts.insert(at);
  }
  for (size_t power = 1024; power < size; power *= 2) {
    for (size_t at = power - 3; at <= std::min(power + 3, size); ++at) cuts.insert(at);
  }
  Random random(size);
  for (unsigned i = 0; size > kShort && i < kAtRandom; ++i) cuts.insert(random.below(size));
  return {cuts.begin(), cuts.end()};
}

}  // namespace fnkit::test
