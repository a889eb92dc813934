#include "wire/answers.hpp"

#include <cctype>
#include <cstdlib>

namespace fnkit::test {
namespace {

std::string lower(std::string_view text) {
  std::string made(text);
  for (char& c : made) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return made;
}

// Takes a head off `bytes`; says what is wrong with it.
std::string read_head(std::string_view& bytes, Answer& answer) {
  const size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return "a head has no end";
  std::string_view lines = bytes.substr(0, end + 2);
  bytes.remove_prefix(end + 4);
  bool first = true;
  while (!lines.empty()) {
    const size_t line_end = lines.find("\r\n");
    const std::string_view line = lines.substr(0, line_end);
    lines.remove_prefix(line_end + 2);
    if (first) {
      if (!line.starts_with("HTTP/1.1 ") || line.size() < 13) return "a strange status line";
      answer.status = std::atoi(std::string(line.substr(9, 3)).c_str());
      first = false;
      continue;
    }
    const size_t colon = line.find(": ");
    if (colon == std::string_view::npos) return "a header line without colon and space";
    const bool is_new =
        answer.headers.emplace(lower(line.substr(0, colon)), line.substr(colon + 2)).second;
    if (!is_new) return "a header stands twice";
  }
  return {};
}

std::string read_chunks(std::string_view& bytes, Answer& answer) {
  while (true) {
    const size_t line_end = bytes.find("\r\n");
    if (line_end == std::string_view::npos) return "no last chunk";
    const size_t size = std::strtoul(std::string(bytes.substr(0, line_end)).c_str(), nullptr, 16);
    bytes.remove_prefix(line_end + 2);
    if (bytes.size() < size + 2) return "a chunk is shorter than its size";
    answer.body += bytes.substr(0, size);
    if (bytes.substr(size, 2) != "\r\n") return "a chunk is longer than its size";
    bytes.remove_prefix(size + 2);
    if (size == 0) return {};
  }
}

std::string read_answer(std::string_view& bytes, bool to_head, Answer& answer) {
  if (std::string fault = read_head(bytes, answer); !fault.empty()) return fault;
  const auto length = answer.headers.find("content-length");
  const bool has_length = length != answer.headers.end();
  const bool bodiless = answer.status < 200 || answer.status == 204 || answer.status == 304;
  if (bodiless && has_length && answer.status != 304) return "Content-Length where none may be";
  if (bodiless) return {};
  const bool chunked = answer.headers.contains("transfer-encoding");
  if (chunked && has_length) return "two kinds of framing";
  if (chunked) return read_chunks(bytes, answer);
  if (!has_length) return "no Content-Length";
  if (to_head) return {};
  const size_t body_bytes = std::strtoul(length->second.c_str(), nullptr, 10);
  if (bytes.size() < body_bytes) return "a body is shorter than its length";
  answer.body = bytes.substr(0, body_bytes);
  bytes.remove_prefix(body_bytes);
  return {};
}

}  // namespace

std::string Answers::statuses() const {
  std::string text;
  for (const Answer& answer : list) {
    if (!text.empty()) text += ' ';
    text += std::to_string(answer.status);
  }
  return text.empty() ? "silence" : text;
}

Answers read_answers(std::string_view bytes, bool to_head) {
  Answers answers;
  while (!bytes.empty() && answers.fault.empty()) {
    Answer answer;
    answers.fault = read_answer(bytes, to_head, answer);
    if (answers.fault.empty()) answers.list.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace fnkit::test
