#include "fnkit/base/log.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace fnkit {
namespace {

LogFormat log_format = LogFormat::logfmt;

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
  }
  return "error";
}

// The length of the UTF-8 sequence (RFC 3629 section 4) that `text` begins with, 0 where there is
// none. The json room has a faster one, but is above this one.
size_t sequence_length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  const size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const bool overlong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xf0 && byte(1) < 0x90);
  const bool no_scalar = (lead == 0xed && byte(1) > 0x9f) || (lead == 0xf4 && byte(1) > 0x8f);
  return overlong || no_scalar ? 0 : length;
}

void append_escape(std::string& out, unsigned code_point) {
  std::array<char, 7> escape{};
  std::snprintf(escape.data(), escape.size(), "\\u%04x", code_point & 0xffffU);
  out += escape.data();
}

// Appends what `text` begins with and is not ASCII; returns how many bytes that was. C1 controls
// are escapes to some terminals, and what is no UTF-8 would make the line no JSON.
size_t append_foreign(std::string& out, std::string_view text) {
  const size_t length = sequence_length(text);
  const auto second = static_cast<unsigned char>(length == 2 ? text[1] : 0);
  if (length == 0) {
    out += "\\ufffd";
  } else if (text[0] == '\xc2' && second < 0xa0) {
    append_escape(out, second);
  } else {
    out += text.substr(0, length);
  }
  return std::max<size_t>(length, 1);
}

// Quotes so that no value can forge a line or a field: control bytes become \u00XX in both.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    size_t taken = 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      append_escape(out, static_cast<unsigned char>(c));
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      taken = append_foreign(out, text);
    } else {
      out += c;
    }
    text.remove_prefix(taken);
  }
  out += '"';
}

bool plain_in_logfmt(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
  });
}

std::string now_rfc3339() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  std::array<char, 32> date{};
  const size_t length = std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::array<char, 24> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%06ldZ", now.tv_nsec / 1000);
  return std::string(date.data(), length) + fraction.data();
}

}  // namespace

void set_log_format(LogFormat format) { log_format = format; }

std::string format_log_line(LogFormat format, std::string_view timestamp, LogLevel level,
                            std::string_view source, std::string_view message,
                            std::initializer_list<LogField> fields) {
  const bool json = format == LogFormat::json;
  std::string line = json ? "{" : "";
  const auto add = [&](std::string_view key, std::string_view value, bool always_quoted) {
    if (line.size() > 1) line += json ? ',' : ' ';
    if (json) {
      append_quoted(line, key);
      line += ':';
      append_quoted(line, value);
    } else {
      line += key;
      line += '=';
      if (always_quoted || !plain_in_logfmt(value)) {
        append_quoted(line, value);
      } else {
        line += value;
      }
    }
  };
  add("ts", timestamp, false);
  add("level", name_of(level), false);
  add("source", source, false);
  add("msg", message, true);
  for (const LogField& field : fields) add(field.key, field.value, false);
  line += json ? "}\n" : "\n";
  return line;
}

void log_event(LogLevel level, std::string_view source, std::string_view message,
               std::initializer_list<LogField> fields) {
  const std::string line =
      format_log_line(log_format, now_rfc3339(), level, source, message, fields);
  // A log that cannot be written is not worth failing for.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace fnkit
