// Events for the operator: one line each on stderr, logfmt or JSON.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace fnkit {

enum class LogLevel { info, warning, error };
enum class LogFormat { logfmt, json };

struct LogField {
  std::string_view key;
  std::string_view value;
};

// Where events go instead of straight to stderr. Called from any thread; must neither wait for
// anybody nor log itself. The views are the caller's, for the time of the call.
struct LogSink {
  virtual ~LogSink() = default;
  virtual void write(LogLevel level, std::string_view source, std::string_view message,
                     std::span<const LogField> fields) = 0;
  // Waits until what came before is written, for a bounded time.
  virtual void flush() = 0;
};

// Process-wide; set before threads start.
void set_log_format(LogFormat format);

// Process-wide; set before threads start that log, and taken away (nullptr) after they have ended.
void set_log_sink(LogSink* sink);

// Gives `ts=… level=… source=… msg="…" key=value …` to the sink, or where none is set writes it to
// stderr with one write(2), which may wait for whoever reads it. Any thread. Not for the request
// path: call it for changes of state. Values may hold any bytes; they are escaped. A message is a
// constant: what varies is a field, so that events of a kind can be counted.
void log_event(LogLevel level, std::string_view source, std::string_view message,
               std::initializer_list<LogField> fields = {});

// Before _exit(2), which would lose what the sink still holds.
void flush_log();

// What a sink needs to write as log_event does.

std::string_view name_of(LogLevel level);

// The wall clock as RFC 3339 in UTC: 27 characters, microseconds.
std::string log_timestamp();

// A line of the process-wide format with its newline, and where stderr goes to the journal with the
// priority before it.
std::string log_line(std::string_view timestamp, LogLevel level, std::string_view source,
                     std::string_view message, std::span<const LogField> fields);

// A line with its newline; `timestamp` is RFC 3339.
std::string format_log_line(LogFormat format, std::string_view timestamp, LogLevel level,
                            std::string_view source, std::string_view message,
                            std::span<const LogField> fields);

// Appends ` key=value`, without the space at the beginning of `out`; the value is quoted as needed.
void append_logfmt(std::string& out, const LogField& field);

// `<N>`, by which systemd's journal knows a line's priority (sd-daemon(3)).
std::string_view journal_priority(LogLevel level);

// Whether `fd` is what $JOURNAL_STREAM, given as `device_and_inode`, tells of (systemd.exec(5));
// nullptr is nothing.
bool is_journal_stream(int fd, const char* device_and_inode);

}  // namespace fnkit
