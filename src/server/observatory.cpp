#include "server/observatory.hpp"

#include "fnkit/base/log.hpp"

namespace fnkit::server {

using observe::Record;
using observe::WallClock;

Observatory::Observatory(const Settings& settings, ring::Ring& ring, net::Resolver& resolver,
                         Random& random, const Workers& workers, const store::Follower& follower)
    : settings_(settings),
      ring_(ring),
      workers_(workers),
      follower_(follower),
      started_(ring.now()),
      pipelines_(std::make_shared<const store::Snapshot>()),
      bell_(ring) {
  for (const auto& worker : workers) recorders_.push_back(&worker->recorder());
  const bool is_server = settings.store.kind != store::Location::Kind::directory;
  if (is_server && settings.flush_to_store) {
    StoreFlusher::Source& batches = *this;
    flusher_ = std::make_unique<StoreFlusher>(ring, resolver, random, settings.store, batches);
  }
}

Observatory::~Observatory() = default;

coro::Task<void> Observatory::run() {
  coro::TaskGroup beside;
  if (flusher_) beside.spawn(flusher_->run());
  while (!stopping_) {
    const Instant next = later(ring_.now(), kInterval);
    co_await bell_.wait(next);
    gather();
  }
  if (flusher_) flusher_->stop();
  co_await beside.join();
}

void Observatory::stop() {
  stopping_ = true;
  bell_.ring();
}

void Observatory::gather() {
  traces_.collect(recorders_);
  gather_failures();
}

void Observatory::gather_failures() {
  gathered_.clear();
  uint64_t written = 0;
  for (observe::Recorder* core : recorders_) {
    written += core->failures().take(gathered_, observe::Recorder::kFailures);
  }
  for (const Record& record : gathered_) {
    tell_failure(record);
    failures_.push_back(record);
    if (failures_.size() > kFailuresKept) failures_.pop_front();
  }
  if (const uint64_t missed = written - gathered_.size(); missed > 0) {
    log_event(LogLevel::error, "orchestrator", "More failures than were written down",
              {{"count", std::to_string(missed)}});
  }
}

// In the reference's words, as far as it has any.
void Observatory::tell_failure(const Record& record) const {
  using Part = Record::Part;
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
  return {{"trace", traces_.recorded(), traces_dropped}};
}

observe::Batch Observatory::next_batch() {
  gather();
  const WallClock clock = WallClock::of_system();
  observe::Batch batch;
  if (!std::exchange(started_is_told_, true)) batch.started = clock.iso(started_);
  batch.traces = traces_.take(clock);
  batch.steps = flushed_.take(totals(), clock);
  return batch;
}

}  // namespace fnkit::server
