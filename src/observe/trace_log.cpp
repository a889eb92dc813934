#include "fnkit/observe/trace_log.hpp"

#include <charconv>
#include <ctime>

#include "fnkit/json/quote.hpp"

namespace fnkit::observe {
namespace {

using Part = Record::Part;

constexpr size_t kPreviewCharacters = 120;

// Takes off the last character where it is not all there (RFC 3629 section 3).
void drop_half_character(std::string& text) {
  size_t begin = text.size();
  while (begin > 0 && (static_cast<unsigned char>(text[begin - 1]) & 0xc0) == 0x80) --begin;
  if (begin == 0) return;
  const auto lead = static_cast<unsigned char>(text[--begin]);
  const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  if (begin + length > text.size()) text.erase(begin);
}

// One line of at most kPreviewCharacters, the last an ellipsis where there is more.
std::string preview_of(const Record& record) {
  std::string line(record.part(Part::preview));
  for (char& c : line) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  line.erase(0, line.find_first_not_of(" \t"));
  if (!record.preview_cut) {
    line.erase(line.find_last_not_of(" \t") + 1);
    return line;
  }
  if (line.size() >= kPreviewCharacters) line.pop_back();  // for the ellipsis
  drop_half_character(line);
  return line + "…";
}

void append_number(std::string& out, double number) {
  std::array<char, 32> text{};
  const auto [end, error] =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  out.append(text.data(), end);
}

void append_text(std::string& out, std::string_view key, std::string_view value) {
  out += ",\"";
  out += key;
  out += "\":";
  json::append_quoted(out, value);
}

}  // namespace

WallClock WallClock::of_system() {
  const auto since_1970 = std::chrono::system_clock::now().time_since_epoch();
  const auto since_boot = std::chrono::steady_clock::now().time_since_epoch();
  return WallClock(std::chrono::duration_cast<Duration>(since_1970) - since_boot);
}

std::string WallClock::iso(Instant instant) const {
  const auto milliseconds = static_cast<int64_t>(unix_nanoseconds(instant) / 1'000'000);
  const time_t seconds = milliseconds / 1000;
  tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> date{};
  const size_t length = std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S.", &utc);
  const std::string fraction = std::to_string(1000 + milliseconds % 1000);
  return std::string(date.data(), length) + fraction.substr(1) + "Z";
}

std::string to_trace_json(const Record& record, const WallClock& clock) {
  std::string path;
  if (record.kind == Record::Kind::step) path = "/" + record.step->name;
  path += record.part(Part::path);
  std::string out = R"({"timestamp":")" + clock.iso(record.began + record.took) + '"';
  append_text(out, "method", record.part(Part::method));
  append_text(out, "path", path);
  append_text(out, "container",
              record.kind == Record::Kind::step ? std::string_view(record.step->name)
                                                : std::string_view("orchestrator"));
  out += R"(,"status":)" + std::to_string(record.status) + R"(,"latency_ms":)";
  append_number(out, static_cast<double>(record.took.count() / 1000) / 1e3);
  const bool answered = record.part(Part::error).empty() || record.kind == Record::Kind::run;
  append_text(out, "preview",
              answered ? preview_of(record) : std::string(record.part(Part::error)));
  append_text(out, "trace_id", {record.trace_id.data(), record.trace_id.size()});
  if (!record.part(Part::error).empty()) append_text(out, "error", record.part(Part::error));
  out += '}';
  return out;
}

void TraceLog::collect(std::span<Recorder* const> cores) {
  collected_.clear();
  uint64_t written = 0;
  for (Recorder* core : cores) written += core->recent().take(collected_, kNewest);
  if (written == 0) return;
  std::stable_sort(collected_.begin(), collected_.end(), ended_before);
  const size_t kept = std::min(collected_.size(), kNewest);
  newest_.insert(newest_.end(), collected_.end() - static_cast<std::ptrdiff_t>(kept),
                 collected_.end());
  while (newest_.size() > kNewest) newest_.pop_front();
  recorded_ += written;
  waiting_ = std::min<uint64_t>(waiting_ + kept, kNewest);
}

std::vector<std::string> TraceLog::newest(size_t count, const WallClock& clock) const {
  std::vector<std::string> traces;
  for (auto each = newest_.rbegin(); each != newest_.rend() && traces.size() < count; ++each) {
    traces.push_back(to_trace_json(*each, clock));
  }
  return traces;
}

std::vector<std::string> TraceLog::take(const WallClock& clock) {
  std::vector<std::string> traces = newest(waiting_, clock);
  std::reverse(traces.begin(), traces.end());
  taken_ += waiting_;
  waiting_ = 0;
  return traces;
}

}  // namespace fnkit::observe
