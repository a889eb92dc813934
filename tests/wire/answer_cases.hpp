// The table of functions' answers as bytes (HTTP.md section 6.1), and what becomes of each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fnkit::test {

enum class Peer { stays, ends };  // behind the bytes
enum class Asked { get, head };
enum class Reuse { yes, no };  // of the connection

struct AnswerCase {
  const char* id;
  const char* name;
  std::string bytes;
  Peer peer;
  int status;  // 502: not taken
  std::string body;
  Reuse reuse;
  const char* source;
  Asked asked = Asked::get;
};

// The largest body that the cases' caller takes.
inline constexpr size_t kAnswerBodyMax = 64 * 1024;

inline constexpr std::string_view kEarlyHints = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";

std::vector<AnswerCase> answer_cases();
// Those that are not taken.
std::vector<AnswerCase> bad_answer_cases();

}  // namespace fnkit::test
