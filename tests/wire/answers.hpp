// Answers as a caller reads them, by a reader that shares nothing with the program's own.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fnkit::test {

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  bool closes() const {
    const auto found = headers.find("connection");
    return found != headers.end() && found->second == "close";
  }
};

struct Answers {
  std::vector<Answer> list;
  // What is wrong with the bytes, or empty: something left over, no length, a line without CRLF …
  std::string fault;

  // "200 404"; "silence" for none. Interim answers count.
  std::string statuses() const;
};

// `to_head`: the answers are to HEAD requests, so their lengths are not followed by bodies.
Answers read_answers(std::string_view bytes, bool to_head = false);

}  // namespace fnkit::test
