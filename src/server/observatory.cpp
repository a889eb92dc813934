#include "server/observatory.hpp"

#include <unistd.h>

#include "server/record_spans.hpp"

namespace fnkit::server {
namespace {

using observe::Record;
using observe::WallClock;
using Part = Record::Part;

// So many traces take some 50 us to be put into words.
constexpr size_t kPiece = 64;
constexpr Duration kPause = std::chrono::milliseconds(2);

// nginx's combined log, as fields.
std::string access_line(const Record& record, const WallClock& clock) {
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(record.took);
  const std::string status = std::to_string(record.status);
  const std::string took = std::to_string(microseconds.count());
  const LogField fields[] = {
      {"method", record.part(Part::method)},
      {"path", record.part(Part::path)},
      {"status", status},
      {"duration_us", took},
      {"pipeline", record.pipeline != nullptr ? std::string_view(record.pipeline->name) : "-"},
      {"caller", record.part(Part::caller)},
      {"request_id", record.part(Part::request_id)}};
  return log_line(clock.iso(record.began + record.took), LogLevel::info, "access", "request",
                  fields);
}

observe::Resource this_process(Random& random) {
  observe::Resource resource;
  resource.service_version = FNKIT_VERSION;
  random.append_hex16(resource.instance_id);
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0) resource.host_name = host.data();
  resource.process_id = getpid();
  return resource;
}

}  // namespace

Observatory::Observatory(const Settings& settings, ring::Ring& ring, net::Resolver& resolver,
                         Random& random, const Workers& workers, const store::Follower& follower,
                         Logs& logs)
    : settings_(settings),
      ring_(ring),
      workers_(workers),
      follower_(follower),
      logs_(logs),
      started_(ring.now()),
      pipelines_(std::make_shared<const store::Snapshot>()),
      bell_(ring),
      pause_(ring) {
  for (const auto& worker : workers) recorders_.push_back(&worker->recorder());
  const bool is_server = settings.store.kind != store::Location::Kind::directory;
  if (is_server && settings.flush_to_store) {
    StoreFlusher::Source& batches = *this;
    flusher_ = std::make_unique<StoreFlusher>(ring, resolver, random, settings.store, batches);
  }
  if (settings.otlp_endpoint) {
    exporter_ = std::make_unique<OtlpExporter>(ring, resolver, random, *settings.otlp_endpoint,
                                               this_process(random));
  }
}

Observatory::~Observatory() = default;

coro::Task<void> Observatory::run() {
  coro::TaskGroup beside;
  if (flusher_) beside.spawn(flusher_->run());
  if (exporter_) beside.spawn(exporter_->run());
  const Duration interval = settings_.record.access_log ? kAccessLogInterval : kInterval;
  while (!stopping_) {
    const Instant next = later(ring_.now(), interval);
    co_await bell_.wait(next);
    gather();
  }
  if (flusher_) flusher_->stop();
  if (exporter_) exporter_->stop();
  co_await beside.join();
}

void Observatory::stop() {
  stopping_ = true;
  bell_.ring();
}

void Observatory::gather() {
  traces_.collect(recorders_);
  gather_failures();
  if (settings_.record.access_log) gather_requests();
  if (exporter_) gather_spans();
  logs_.journal.tick(ring_.now());
}

void Observatory::gather_failures() {
  gathered_.clear();
  uint64_t written = 0;
  for (observe::Recorder* core : recorders_) {
    written += core->failures().take(gathered_, observe::Recorder::kFailures);
  }
  for (const Record* record : by_end(gathered_)) {
    tell_failure(*record);
    failures_.push_back(*record);
    if (failures_.size() > kFailuresKept) failures_.pop_front();
  }
  if (const uint64_t missed = written - gathered_.size(); missed > 0) {
    log_event(LogLevel::error, "orchestrator", "More failures than were written down",
              {{"count", std::to_string(missed)}});
  }
}

void Observatory::gather_requests() {
  const WallClock clock = WallClock::of_system();
  for (observe::Recorder* core : recorders_) {
    gathered_.clear();
    const uint64_t written = core->requests().take(gathered_, observe::Recorder::kRequests);
    for (const Record& record : gathered_) logs_.writer.write(access_line(record, clock));
    requests_missed_ += written - gathered_.size();
  }
}

void Observatory::gather_spans() {
  const WallClock clock = WallClock::of_system();
  for (observe::Recorder* core : recorders_) {
    gathered_.clear();
    const uint64_t written = core->spans().take(gathered_, observe::Recorder::kSpans);
    for (const Record& record : gathered_) exporter_->add(span_of(record, settings_, clock));
    spans_recorded_ += written;
    spans_missed_ += written - gathered_.size();
  }
}

// In the reference's words, as far as it has any.
void Observatory::tell_failure(const Record& record) {
  const std::string status = std::to_string(record.status);
  const bool answered = record.cause == observe::Cause::status;
  const std::string_view detail = record.part(answered ? Part::preview : Part::error);
  const std::string_view source =
      record.step != nullptr ? std::string_view(record.step->name) : "orchestrator";
  const std::string message = record.step == nullptr ? "Pipeline failed"
                              : answered             ? "Step returned " + status
                                                     : "Function call failed";
  log_event(LogLevel::error, source, message,
            {{"pipeline", record.pipeline->name},
             {"status", status},
             {"detail", record.step != nullptr ? detail : record.part(Part::error)},
             {"request_id", record.part(Part::request_id)},
             {"caller", record.part(Part::caller)}});
}

observe::Totals Observatory::totals() const {
  observe::Totals totals;
  for (const auto& worker : workers_) totals.add(worker->recorder().series());
  return totals;
}

std::vector<RecordCounts> Observatory::record_counts() const {
  // Without a store the newest ones are where they belong.
  const uint64_t traces_dropped = flusher_ ? traces_.dropped() : 0;
  const uint64_t events_dropped = flusher_ ? logs_.journal.dropped() : 0;
  const uint64_t spans_dropped = exporter_ ? spans_missed_ + exporter_->dropped() : 0;
  return {{"trace", traces_.recorded(), traces_dropped},
          {"event", logs_.journal.recorded(), events_dropped},
          {"span", spans_recorded_, spans_dropped}};
}

uint64_t Observatory::log_lines_dropped() const {
  return logs_.writer.dropped() + requests_missed_;
}

// In pieces: where it shares a CPU with a worker, requests wait for as long as it goes on.
coro::Task<observe::Batch> Observatory::next_batch() {
  gather();
  const WallClock clock = WallClock::of_system();
  observe::Batch batch;
  if (!std::exchange(started_is_told_, true)) batch.started = clock.iso(started_);
  batch.events = logs_.journal.take_pending();
  batch.steps = flushed_.take(totals(), clock);
  const std::span<const Record> traces = traces_.take();
  batch.traces.reserve(traces.size());
  for (size_t i = 0; i < traces.size(); ++i) {
    batch.traces.push_back(to_trace_json(traces[i], clock));
    const Instant soon = later(ring_.now(), kPause);
    if (i % kPiece == kPiece - 1) co_await pause_.wait(soon);
  }
  co_return batch;
}

}  // namespace fnkit::server
