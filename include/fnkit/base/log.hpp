// Events for the operator: one line each on stderr, logfmt or JSON.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace fnkit {

enum class LogLevel { info, warning, error };
enum class LogFormat { logfmt, json };

struct LogField {
  std::string_view key;
  std::string_view value;
};

// Process-wide; set before threads start.
void set_log_format(LogFormat format);

// Writes `ts=… level=… source=… msg="…" key=value …` as one write(2) to stderr. Any thread. Not for
// the request path: call it for changes of state. Values may hold any bytes; they are escaped.
void log_event(LogLevel level, std::string_view source, std::string_view message,
               std::initializer_list<LogField> fields = {});

// The line that log_event writes, with its newline; `timestamp` is RFC 3339.
std::string format_log_line(LogFormat format, std::string_view timestamp, LogLevel level,
                            std::string_view source, std::string_view message,
                            std::initializer_list<LogField> fields);

}  // namespace fnkit
