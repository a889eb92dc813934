#include "fnkit/observe/recorder.hpp"

#include <charconv>

namespace fnkit::observe {
namespace {

using Part = Record::Part;

// nginx's status for a request whose caller did not wait.
constexpr uint16_t kCallerLeft = 499;

bool failed(Cause cause) { return cause != Cause::none && cause != Cause::cancelled; }

void append_milliseconds(std::string& out, Duration took) {
  std::array<char, 32> text{};
  const double milliseconds = static_cast<double>(took.count()) / 1e6;
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), milliseconds,
                                          std::chars_format::fixed, 3);
  out.append(text.data(), end);
}

}  // namespace

Recorder::Recorder(const RecorderOptions& options) : options_(options) {
  recent_ = std::make_unique<RecordRing>(kRecent);
  failures_ = std::make_unique<RecordRing>(kFailures);
  if (options.spans) spans_ = std::make_unique<RecordRing>(kSpans);
  if (options.access_log) requests_ = std::make_unique<RecordRing>(kRequests);
}

Recorder::~Recorder() {
  while (StepNote* note = unused_.pop_front()) delete note;
}

StepNote& Recorder::take_note() {
  StepNote* note = unused_.pop_front();
  return note != nullptr ? *note : *new StepNote;
}

void Recorder::give_back(StepNote& note) { unused_.push_front(note); }

void Recorder::unrouted(const Unrouted& request) {
  series_.requests.add();
  series_.unrouted[static_cast<size_t>(request.status) % CoreSeries::kStatuses].add();
  if (!options_.access_log) return;
  record_.kind = Record::Kind::unrouted;
  record_.began = request.began;
  record_.took = request.took;
  record_.status = static_cast<uint16_t>(request.status);
  record_.pipeline = nullptr;
  record_.step = nullptr;
  record_.cut_from(Part::request_id);
  record_.add(Part::request_id, request.request_id);
  record_.add(Part::caller, request.caller);
  record_.add(Part::method, request.method);
  record_.add(Part::path, request.path);
  requests_->write(record_);
}

Run::Run(Recorder& recorder, PipelineSeries& pipeline, const Head& head)
    : recorder_(recorder), pipeline_(pipeline), head_(head) {
  pipeline_.in_progress.add();
  recorder_.series_.in_progress.add();
}

Run::~Run() {
  while (StepNote* note = steps_.pop_front()) recorder_.give_back(*note);
  pipeline_.in_progress.subtract();
  recorder_.series_.in_progress.subtract();
}

StepNote& Run::begin(StepSeries& step, std::string_view method, Instant now, uint64_t span_id) {
  StepNote& note = recorder_.take_note();
  note.step = &step;
  note.began = now;
  note.took = Duration::zero();
  note.span_id = span_id;
  note.status = 0;
  note.cause = Cause::cancelled;
  note.preview_size = 0;
  note.preview_cut = false;
  note.method = method;
  note.error.clear();
  steps_.push_back(note);
  return note;
}

void Run::answered(StepNote& note, Instant now, int status, std::string_view body) {
  const bool good = status >= 200 && status <= 299;
  note.took = now - note.began;
  note.status = static_cast<uint16_t>(status);
  note.cause = good ? Cause::none : Cause::status;
  note.step->ended[static_cast<size_t>(note.cause)].add();
  note.step->latency.add(note.took);
  note.step->last_ended.set(static_cast<uint64_t>(now.time_since_epoch().count()));
  note.step->last_failed.set(status >= 500 ? 1 : 0);
  if (!recorder_.options_.records || !recorder_.options_.previews) return;
  const size_t size = std::min(body.size(), note.preview.size());
  std::copy_n(body.begin(), size, note.preview.begin());
  note.preview_size = static_cast<uint8_t>(size);
  note.preview_cut = size < body.size();
}

void Run::not_answered(StepNote& note, Instant now, Cause cause, int status, std::string_view why) {
  note.took = now - note.began;
  note.cause = cause;
  note.step->ended[static_cast<size_t>(cause)].add();
  if (cause == Cause::cancelled) return;
  note.status = static_cast<uint16_t>(status);
  note.error = why;
  note.step->latency.add(note.took);
  note.step->last_ended.set(static_cast<uint64_t>(now.time_since_epoch().count()));
  note.step->last_failed.set(1);
}

void Run::finish(const End& end) {
  const Duration took = end.now - head_.began;
  CoreSeries& series = recorder_.series_;
  series.requests.add();
  if (end.caller_left) {
    pipeline_.cancelled.add();
  } else {
    pipeline_.answered[static_cast<size_t>(end.status / 100) % pipeline_.answered.size()].add();
    pipeline_.latency.add(took);
  }
  const RecorderOptions& options = recorder_.options_;
  if (!options.records && !options.access_log && !options.spans) return;

  Record& record = recorder_.record_;
  record.pipeline = &pipeline_;
  record.trace_id = head_.trace_id;
  record.parent_span_id = head_.span_id;
  record.cut_from(Part::request_id);
  record.add(Part::request_id, head_.request_id);
  record.add(Part::caller, head_.caller);
  const bool run_failed = !end.caller_left && end.status >= 400;
  bool step_told = false;
  for (StepNote* note = steps_.front(); note != nullptr; note = steps_.next(*note)) {
    write_step(*note, run_failed);
    step_told = step_told || failed(note->cause);
  }

  record.kind = Record::Kind::run;
  record.step = nullptr;
  record.began = head_.began;
  record.took = took;
  record.span_id = head_.span_id;
  record.parent_span_id = head_.parent_span_id;
  record.status = end.caller_left ? kCallerLeft : static_cast<uint16_t>(end.status);
  record.cause = end.caller_left ? Cause::cancelled : run_failed ? Cause::status : Cause::none;
  record.cut_from(Part::method);
  record.add(Part::method, head_.method);
  std::array<char, Record::kPartMax[static_cast<size_t>(Part::path)]> path{};
  constexpr std::string_view kPrefix = "/orchestrate/";
  size_t size = kPrefix.copy(path.data(), path.size());
  size += head_.name.copy(path.data() + size, path.size() - size);
  size += head_.suffix.copy(path.data() + size, path.size() - size);
  record.add(Part::path, {path.data(), size});
  record.add(Part::preview, options.previews ? end.body : std::string_view());
  record.preview_cut = options.previews && record.part(Part::preview).size() < end.body.size();
  record.add(Part::error, end.error);
  if (options.records) recorder_.recent_->write(record);
  if (options.records && run_failed && !step_told) recorder_.failures_->write(record);
  if (options.spans && (head_.sampled || run_failed)) recorder_.spans_->write(record);
  if (options.access_log) recorder_.requests_->write(record);
}

void Run::write_step(const StepNote& note, bool run_failed) {
  const RecorderOptions& options = recorder_.options_;
  Record& record = recorder_.record_;
  record.kind = Record::Kind::step;
  record.step = note.step;
  record.began = note.began;
  record.took = note.took;
  record.span_id = note.span_id;
  record.status = note.cause == Cause::cancelled ? kCallerLeft : note.status;
  record.cause = note.cause;
  record.cut_from(Part::method);
  record.add(Part::method, note.method);
  record.add(Part::path, head_.suffix);
  record.add(Part::preview, {note.preview.data(), note.preview_size});
  record.preview_cut = note.preview_cut;
  record.add(Part::error, note.error);
  if (options.records) recorder_.recent_->write(record);
  if (options.records && failed(note.cause)) recorder_.failures_->write(record);
  if (options.spans && (head_.sampled || run_failed)) recorder_.spans_->write(record);
}

void Run::append_server_timing(std::string& out, Instant now) const {
  for (StepNote* note = steps_.front(); note != nullptr; note = steps_.next(*note)) {
    out += note->step->name;
    out += ";dur=";
    append_milliseconds(out, note->cause == Cause::cancelled ? now - note->began : note->took);
    if (note->cause != Cause::none) {
      out += ";desc=\"";
      out += name_of(note->cause);
      out += '"';
    }
    out += ", ";
  }
  out += "total;dur=";
  append_milliseconds(out, now - head_.began);
}

}  // namespace fnkit::observe
