#include "http/response_writer.hpp"

#include <array>
#include <charconv>
#include <ctime>

namespace fnkit::http {
namespace {

void append_number(std::string& out, size_t number) {
  std::array<char, 20> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  out.append(digits.data(), end);
}

bool has_length(int status) { return status >= 200 && status != 204 && status != 304; }

}  // namespace

void append_head(std::string& out, const ResponseHead& head) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<size_t>(head.status));
  out += ' ';
  out += reason_phrase(head.status);
  if (!head.has_date) {
    out += "\r\ndate: ";
    out += date_now();
  }
  if (!head.content_type.empty()) {
    out += "\r\ncontent-type: ";
    out += head.content_type;
  }
  if (head.body_bytes && has_length(head.status)) {
    out += "\r\ncontent-length: ";
    append_number(out, *head.body_bytes);
  }
  out += "\r\nx-request-id: ";
  out += head.request_id;
  out += "\r\n";
  out += head.extra_headers;
  if (!head.keep_alive) {
    out += "connection: close\r\n";
  } else if (head.request_minor_version == 0) {
    out += "connection: keep-alive\r\n";
  }
  out += "\r\n";
}

std::string_view date_now() {
  thread_local std::array<char, 32> text{};
  thread_local size_t length = 0;
  thread_local time_t made_at = 0;
  const time_t now = time(nullptr);
  if (now != made_at) {
    tm utc{};
    gmtime_r(&now, &utc);
    length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    made_at = now;
  }
  return {text.data(), length};
}

}  // namespace fnkit::http
