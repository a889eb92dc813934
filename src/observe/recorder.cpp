#include "fnkit/observe/recorder.hpp"

#include <charconv>

namespace fnkit::observe {
namespace {

using Part = Record::Part;

bool is_failure(Cause cause) { return cause != Cause::none && cause != Cause::cancelled; }

void add_preview(Record& record, std::string_view body) {
  record.add(Part::preview, body);
  record.preview_cut = record.part(Part::preview).size() < body.size();
}

void append_duration(std::string& out, Duration took) {
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
  record_.clear_text();
  record_.add(Part::method, request.method);
  record_.add(Part::path, request.path);
  record_.add(Part::request_id, request.request_id);
  record_.add(Part::caller, request.caller);
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

bool Run::writes() const {
  const RecorderOptions& options = recorder_.options_;
  return options.records || options.spans || options.access_log;
}

StepNote& Run::begin(StepSeries& step, std::string_view method, Instant now, uint64_t span_id) {
  StepNote& note = recorder_.take_note();
  note.step = &step;
  note.span_id = span_id;
  Record& record = note.record;
  record.kind = Record::Kind::step;
  record.step = &step;
  record.pipeline = &pipeline_;
  record.began = now;
  record.took = Duration::zero();
  record.trace_id = head_.trace_id;
  record.status = kCallerLeft;
  record.cause = Cause::cancelled;
  record.preview_cut = false;
  record.clear_text();
  if (writes()) {
    record.add(Part::method, method);
    record.add(Part::path, head_.suffix);
  }
  steps_.push_back(note);
  return note;
}

void Run::ended(StepNote& note, Instant now, Cause cause, int status) {
  Record& record = note.record;
  record.took = now - record.began;
  record.cause = cause;
  StepSeries& step = *note.step;
  step.ended[static_cast<size_t>(cause)].add();
  if (cause == Cause::cancelled) return;
  record.status = static_cast<uint16_t>(status);
  step.latency.add(record.took);
  step.last_ended.set(static_cast<uint64_t>(now.time_since_epoch().count()));
  step.last_failed.set(cause != Cause::status ? cause != Cause::none : status >= 500);
}

void Run::answered(StepNote& note, Instant now, int status, std::string_view body) {
  const bool good = status >= 200 && status <= 299;
  ended(note, now, good ? Cause::none : Cause::status, status);
  if (!writes() || !recorder_.options_.previews) return;
  add_preview(note.record, body);
}

void Run::not_answered(StepNote& note, Instant now, Cause cause, int status, std::string_view why) {
  ended(note, now, cause, status);
  if (writes() && cause != Cause::cancelled) note.record.add(Part::error, why);
}

void Run::finish(const End& end) {
  const bool run_failed = !end.caller_left && !end.error.empty();
  recorder_.series_.requests.add();
  if (run_failed) pipeline_.failed.add();
  if (end.caller_left) {
    pipeline_.cancelled.add();
  } else {
    pipeline_.answered[static_cast<size_t>(end.status / 100) % pipeline_.answered.size()].add();
    pipeline_.latency.add(end.now - head_.began);
  }
  if (!writes()) return;
  const bool is_span = recorder_.options_.spans && (head_.sampled || run_failed);
  bool step_told = false;
  for (StepNote* note = steps_.front(); note != nullptr; note = steps_.next(*note)) {
    const bool failed = is_failure(note->record.cause);
    write(note->record, failed, is_span, {note->span_id, head_.span_id});
    step_told = step_told || failed;
  }
  Record& record = run_record(end, run_failed);
  write(record, run_failed && !step_told, is_span, {head_.span_id, head_.parent_span_id});
  if (recorder_.options_.access_log) recorder_.requests_->write(record);
}

Record& Run::run_record(const End& end, bool run_failed) {
  Record& record = recorder_.record_;
  record.kind = Record::Kind::run;
  record.step = nullptr;
  record.pipeline = &pipeline_;
  record.trace_id = head_.trace_id;
  record.began = head_.began;
  record.took = end.now - head_.began;
  record.status = end.caller_left ? kCallerLeft : static_cast<uint16_t>(end.status);
  record.cause = end.caller_left ? Cause::cancelled : run_failed ? Cause::status : Cause::none;
  record.clear_text();
  record.add(Part::method, head_.method);
  record.add(Part::path, "/orchestrate/");
  record.add(Part::path, head_.name);
  record.add(Part::path, head_.suffix);
  record.preview_cut = false;
  if (recorder_.options_.previews) add_preview(record, end.body);
  if (run_failed) record.add(Part::error, end.error);
  return record;
}

// To whom it concerns. Traces do without who asked, and most records are nothing but that.
void Run::write(Record& record, bool is_failure, bool is_span, const Record::Spans& spans) {
  const RecorderOptions& options = recorder_.options_;
  if (options.records) recorder_.recent_->write(record);
  is_failure = is_failure && options.records;
  const bool is_run = record.kind == Record::Kind::run;
  if (!is_failure && !is_span && !(is_run && options.access_log)) return;
  record.add(Part::request_id, head_.request_id);
  record.add(Part::caller, head_.caller);
  if (is_failure) recorder_.failures_->write(record);
  if (!is_span) return;
  record.add(spans);
  recorder_.spans_->write(record);
}

void Run::append_server_timing(std::string& out, Instant now) const {
  for (StepNote* note = steps_.front(); note != nullptr; note = steps_.next(*note)) {
    const Record& record = note->record;
    out += record.step->name;
    out += ";dur=";
    append_duration(out, record.cause == Cause::cancelled ? now - record.began : record.took);
    if (record.cause != Cause::none) {
      out += ";desc=\"";
      out += name_of(record.cause);
      out += '"';
    }
    out += ", ";
  }
  out += "total;dur=";
  append_duration(out, now - head_.began);
}

}  // namespace fnkit::observe
