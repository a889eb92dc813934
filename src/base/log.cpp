#include "fnkit/base/log.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace fnkit {
namespace {

LogFormat log_format = LogFormat::logfmt;
LogSink* log_sink = nullptr;

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

}  // namespace

void set_log_format(LogFormat format) { log_format = format; }

void set_log_sink(LogSink* sink) { log_sink = sink; }

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    case LogLevel::error: return "error";
  }
  return "error";
}

std::string log_timestamp() {
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

void append_logfmt(std::string& out, const LogField& field) {
  if (!out.empty()) out += ' ';
  out += field.key;
  out += '=';
  if (plain_in_logfmt(field.value)) {
    out += field.value;
  } else {
    append_quoted(out, field.value);
  }
}

std::string format_log_line(LogFormat format, std::string_view timestamp, LogLevel level,
                            std::string_view source, std::string_view message,
                            std::span<const LogField> fields) {
  std::string line;
  if (format == LogFormat::logfmt) {
    append_logfmt(line, {"ts", timestamp});
    append_logfmt(line, {"level", name_of(level)});
    append_logfmt(line, {"source", source});
    line += " msg=";
    append_quoted(line, message);
    for (const LogField& field : fields) append_logfmt(line, field);
    return line += '\n';
  }
  const auto add = [&](std::string_view key, std::string_view value) {
    line += line.empty() ? '{' : ',';
    append_quoted(line, key);
    line += ':';
    append_quoted(line, value);
  };
  add("ts", timestamp);
  add("level", name_of(level));
  add("source", source);
  add("msg", message);
  for (const LogField& field : fields) add(field.key, field.value);
  return line += "}\n";
}

std::string_view journal_priority(LogLevel level) {
  switch (level) {
    case LogLevel::info: return "<6>";
    case LogLevel::warning: return "<4>";
    case LogLevel::error: return "<3>";
  }
  return "<3>";
}

bool is_journal_stream(int fd, const char* device_and_inode) {
  struct stat status {};
  if (device_and_inode == nullptr || ::fstat(fd, &status) != 0) return false;
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == device_and_inode;
}

std::string log_line(std::string_view timestamp, LogLevel level, std::string_view source,
                     std::string_view message, std::span<const LogField> fields) {
  static const bool to_journal = is_journal_stream(STDERR_FILENO, std::getenv("JOURNAL_STREAM"));
  std::string line = format_log_line(log_format, timestamp, level, source, message, fields);
  if (to_journal) line.insert(0, journal_priority(level));
  return line;
}

void log_event(LogLevel level, std::string_view source, std::string_view message,
               std::initializer_list<LogField> fields) {
  if (log_sink != nullptr) {
    log_sink->write(level, source, message, fields);
    return;
  }
  const std::string line = log_line(log_timestamp(), level, source, message, fields);
  // A log that cannot be written is not worth failing for.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

void flush_log() {
  if (log_sink != nullptr) log_sink->flush();
}

}  // namespace fnkit
