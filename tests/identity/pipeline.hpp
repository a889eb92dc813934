// What a caller asks for, and whether an answer can be the answer to it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "message.hpp"

namespace identity {

// "s-abc": the functions a, b and c in sequence; "p-abc": in parallel.
struct Pipeline {
  std::string name;
  bool parallel = false;
  std::string steps;  // a letter each

  static std::optional<Pipeline> parse(std::string_view name);
};

// A request under way.
struct Asked {
  const Pipeline* pipeline = nullptr;
  Message message;
};

struct Answer {
  int status = 0;
  std::string_view request_id;
  std::string_view body;
  bool closes = false;
};

// The request's bytes. Some are sent in chunks.
void append_request(std::string& out, const Asked& asked, bool chunked);

enum class Next { nothing, answer, broken };
// The first answer of `in`, where all of it is there, and its size.
Next next_answer(std::string_view in, Answer& answer, size_t& bytes);

struct Verdict {
  enum class Kind { right, failed, wrong };
  Kind kind = Kind::wrong;
  std::string why;   // where wrong
  size_t calls = 1;  // of steps that must have been made for it, or were tried
};
// `reliable`: the functions that never fail.
Verdict judge(const Asked& asked, const Answer& answer, std::string_view reliable);

}  // namespace identity
