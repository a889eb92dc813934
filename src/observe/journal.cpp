#include "fnkit/observe/journal.hpp"

#include <algorithm>

#include "fnkit/json/quote.hpp"

namespace fnkit::observe {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);
constexpr size_t kMillisecondsLength = std::string_view("2026-11-25T15:42:01.000").size();

// Not within a UTF-8 sequence.
std::string_view cut(std::string_view value) {
  if (value.size() <= Journal::kValueBytesMax) return value;
  size_t length = Journal::kValueBytesMax;
  while (length > 0 && (static_cast<unsigned char>(value[length]) & 0xc0) == 0x80) --length;
  return value.substr(0, length);
}

std::string event_of(std::string_view timestamp, LogLevel level, std::string_view source,
                     std::string_view message, std::span<const LogField> fields) {
  std::string detail;
  for (const LogField& field : fields) {
    if (field.key == "detail") detail = field.value;
  }
  for (const LogField& field : fields) {
    if (field.key != "detail") append_logfmt(detail, field);
  }
  std::string event;
  const auto add = [&](std::string_view key, std::string_view value) {
    event += event.empty() ? '{' : ',';
    json::append_quoted(event, key);
    event += ':';
    json::append_quoted(event, value);
  };
  add("timestamp", std::string(timestamp.substr(0, kMillisecondsLength)) + "Z");
  add("level", name_of(level));
  add("source", source);
  add("message", message);
  if (!detail.empty()) add("detail", detail);
  return event += '}';
}

}  // namespace

Journal::~Journal() {
  for (auto& kind : kinds_) sum_up(kind);
}

void Journal::write(LogLevel level, std::string_view source, std::string_view message,
                    std::span<const LogField> fields) {
  write_at(std::chrono::steady_clock::now(), level, source, message, fields);
}

void Journal::write_at(Instant now, LogLevel level, std::string_view source,
                       std::string_view message, std::span<const LogField> given) {
  std::vector<LogField> fields(given.begin(), given.end());
  for (LogField& field : fields) field.value = cut(field.value);
  const std::lock_guard lock(mutex_);
  const auto found = find(level, message);
  Kind& kind = found->second;
  kind.last = now;
  if (kind.held > 0 && kind.held_since + kSecond <= now) sum_up(*found);
  Instant& oldest_line = kind.lines[kind.oldest_line];
  if (kind.held == 0 && oldest_line + kSecond <= now) {
    oldest_line = now;
    kind.oldest_line = (kind.oldest_line + 1) % kind.lines.size();
    record(level, source, message, fields);
    return;
  }
  if (kind.held++ == 0) kind.held_since = now;
  kind.source = source;
  kind.fields.clear();
  for (const LogField& field : fields) {
    kind.fields.push_back({std::string(field.key), std::string(field.value)});
  }
}

Journal::Kinds::iterator Journal::find(LogLevel level, std::string_view message) {
  std::pair<LogLevel, std::string> key(level, message);
  const auto known = kinds_.find(key);
  if (known != kinds_.end()) return known;
  if (kinds_.size() == kKindsMax) {
    const auto silent = std::min_element(kinds_.begin(), kinds_.end(), [](auto& a, auto& b) {
      return a.second.last < b.second.last;
    });
    sum_up(*silent);
    kinds_.erase(silent);
  }
  return kinds_.try_emplace(std::move(key)).first;
}

void Journal::sum_up(Kinds::value_type& of) {
  Kind& kind = of.second;
  if (kind.held == 0) return;
  const std::string repeated = std::to_string(kind.held);
  std::vector<LogField> fields;
  if (kind.held > 1) fields.push_back({"repeated", repeated});
  for (const Field& field : kind.fields) fields.push_back({field.key, field.value});
  record(of.first.first, kind.source, of.first.second, fields);
  kind.held = 0;
}

void Journal::record(LogLevel level, std::string_view source, std::string_view message,
                     std::span<const LogField> fields) {
  const std::string timestamp = log_timestamp();
  writer_.write(log_line(timestamp, level, source, message, fields));
  std::string event = event_of(timestamp, level, source, message, fields);
  ++recorded_;
  if (recent_.size() == kEventsMax) recent_.pop_front();
  recent_.push_back(event);
  if (pending_.size() == kEventsMax) {
    pending_.pop_front();
    ++dropped_;
  }
  pending_.push_back(std::move(event));
}

void Journal::tick(Instant now) {
  const std::lock_guard lock(mutex_);
  for (auto& kind : kinds_) {
    if (kind.second.held_since + kSecond <= now) sum_up(kind);
  }
}

void Journal::flush() {
  {
    const std::lock_guard lock(mutex_);
    for (auto& kind : kinds_) sum_up(kind);
  }
  writer_.flush();
}

std::vector<std::string> Journal::recent(size_t count) const {
  const std::lock_guard lock(mutex_);
  const size_t found = std::min(count, recent_.size());
  return {recent_.rbegin(), recent_.rbegin() + static_cast<std::ptrdiff_t>(found)};
}

std::vector<std::string> Journal::take_pending() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> taken(std::make_move_iterator(pending_.begin()),
                                 std::make_move_iterator(pending_.end()));
  pending_.clear();
  return taken;
}

uint64_t Journal::recorded() const {
  const std::lock_guard lock(mutex_);
  return recorded_;
}

uint64_t Journal::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace fnkit::observe
