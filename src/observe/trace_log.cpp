#include "fnkit/observe/trace_log.hpp"

#include <charconv>
#include <utility>

#include "fnkit/base/text.hpp"
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

// `number` with at least `width` digits.
void append_digits(std::string& out, uint64_t number, size_t width) {
  std::array<char, 20> digits{};
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  const auto count = static_cast<size_t>(end - digits.data());
  if (count < width) out.append(width - count, '0');
  out.append(digits.data(), count);
}

void append_milliseconds(std::string& out, Duration took) {
  const auto microseconds = static_cast<uint64_t>(took.count() / 1000);
  append_digits(out, microseconds / 1000, 1);
  if (microseconds % 1000 == 0) return;
  out += '.';
  append_digits(out, microseconds % 1000, 3);
}

void append_trace_id(std::string& out, const Record& record) {
  std::array<char, 32> digits{};
  write_hex16(digits.data(), record.trace_id[0]);
  write_hex16(digits.data() + 16, record.trace_id[1]);
  out.append(digits.data(), digits.size());
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
  std::string text;
  append_iso(text, instant);
  return text;
}

void WallClock::append_iso(std::string& text, Instant instant) const {
  using namespace std::chrono;
  const auto since_1970 = milliseconds(unix_nanoseconds(instant) / 1'000'000);
  const auto day = floor<days>(since_1970);
  const year_month_day date{sys_days(day)};
  const hh_mm_ss time(since_1970 - day);
  append_digits(text, static_cast<uint64_t>(static_cast<int>(date.year())), 4);
  append_digits(text += '-', static_cast<unsigned>(date.month()), 2);
  append_digits(text += '-', static_cast<unsigned>(date.day()), 2);
  append_digits(text += 'T', static_cast<uint64_t>(time.hours().count()), 2);
  append_digits(text += ':', static_cast<uint64_t>(time.minutes().count()), 2);
  append_digits(text += ':', static_cast<uint64_t>(time.seconds().count()), 2);
  append_digits(text += '.', static_cast<uint64_t>(time.subseconds().count()), 3);
  text += 'Z';
}

std::string trace_id_of(const Record& record) {
  std::string id;
  append_trace_id(id, record);
  return id;
}

std::string to_trace_json(const Record& record, const WallClock& clock) {
  const bool is_step = record.kind == Record::Kind::step;
  std::string path;
  if (is_step) (path = '/') += record.step->name;
  path += record.part(Part::path);
  const std::string_view error = record.part(Part::error);
  std::string out;
  out.reserve(512);
  out += R"({"timestamp":")";
  clock.append_iso(out, record.began + record.took);
  out += '"';
  append_text(out, "method", record.part(Part::method));
  append_text(out, "path", path);
  out += R"(,"container":")";  // a function's name needs no escapes
  out += is_step ? std::string_view(record.step->name) : "orchestrator";
  out += '"';
  out += R"(,"status":)";
  append_digits(out, record.status, 1);
  out += R"(,"latency_ms":)";
  append_milliseconds(out, record.took);
  if (is_step && !error.empty()) {
    append_text(out, "preview", error);
  } else {
    append_text(out, "preview", preview_of(record));
  }
  out += R"(,"trace_id":")";
  append_trace_id(out, record);
  out += '"';
  if (!error.empty()) append_text(out, "error", error);
  out += '}';
  return out;
}

void TraceLog::collect(std::span<Recorder* const> cores) {
  collected_.clear();
  uint64_t written = 0;
  for (Recorder* core : cores) written += core->recent().take(collected_, kNewest);
  if (written == 0) return;
  const std::vector<const Record*> order = by_end(collected_);
  const size_t fitting = std::min(order.size(), kNewest);
  for (size_t i = order.size() - fitting; i < order.size(); ++i) {
    newest_[end_] = *order[i];
    end_ = (end_ + 1) % kNewest;
  }
  recorded_ += written;
  waiting_ = std::min<uint64_t>(waiting_ + fitting, kNewest);
  count_ = std::min(count_ + fitting, kNewest);
}

std::vector<std::string> TraceLog::newest(size_t count, const WallClock& clock) const {
  std::vector<std::string> traces;
  for (size_t age = 0; age < std::min(count, count_); ++age) {
    traces.push_back(to_trace_json(kept(age), clock));
  }
  return traces;
}

std::span<const Record> TraceLog::take() {
  taken_records_.clear();
  for (size_t age = waiting_; age-- > 0;) taken_records_.push_back(kept(age));
  taken_ += std::exchange(waiting_, 0);
  return taken_records_;
}

}  // namespace fnkit::observe
