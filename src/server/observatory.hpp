// What all cores do, gathered on the control thread: for the store, for the log and for pages.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/observe/journal.hpp"
#include "fnkit/observe/trace_log.hpp"
#include "fnkit/server/settings.hpp"
#include "fnkit/server/worker.hpp"
#include "server/otlp_exporter.hpp"
#include "server/store_flusher.hpp"

namespace fnkit::server {

// Of one kind: "trace", "event", "span".
struct RecordCounts {
  std::string kind;
  uint64_t recorded = 0;
  uint64_t dropped = 0;
};

// Events and where their lines go; both for any thread.
struct Logs {
  observe::LogWriter writer;
  observe::Journal journal;

  explicit Logs(int fd) : writer(fd), journal(writer) {}
};

// One thread: the control thread's. Gathers four times a second, and before each page.
class Observatory final : private StoreFlusher::Source {
 public:
  using Workers = std::vector<std::unique_ptr<Worker>>;

  // All must outlive it.
  Observatory(const Settings& settings, ring::Ring& ring, net::Resolver& resolver, Random& random,
              const Workers& workers, const store::Follower& follower, Logs& logs);
  ~Observatory() override;

  // Until stop(), and until what was recorded has been brought where it belongs, or that has taken
  // too long.
  coro::Task<void> run();
  void stop();

  void adopt(std::shared_ptr<const store::Snapshot> pipelines) {
    pipelines_ = std::move(pipelines);
  }

  // Takes over what the cores have written down.
  void gather();

  // --- as pages need it
  const Settings& settings() const { return settings_; }
  const Workers& workers() const { return workers_; }
  const store::FollowerStatus& store_status() const { return follower_.status(); }
  const store::Snapshot& pipelines() const { return *pipelines_; }
  Instant now() const { return ring_.now(); }
  Instant started() const { return started_; }
  const observe::TraceLog& traces() const { return traces_; }
  const observe::Journal& journal() const { return logs_.journal; }
  const std::deque<observe::Record>& failures() const { return failures_; }  // oldest first
  observe::Totals totals() const;
  std::vector<RecordCounts> record_counts() const;
  uint64_t log_lines_dropped() const;
  // What is recorded reaches a server, where all instances' is.
  bool in_store() const { return flusher_ != nullptr && flusher_->well(); }

 private:
  static constexpr Duration kInterval = std::chrono::milliseconds(250);
  static constexpr Duration kAccessLogInterval = std::chrono::milliseconds(20);
  static constexpr size_t kFailuresKept = 100;

  coro::Task<observe::Batch> next_batch() override;
  void gather_failures();
  void gather_requests();
  void gather_spans();
  static void tell_failure(const observe::Record& record);

  const Settings& settings_;
  ring::Ring& ring_;
  const Workers& workers_;
  const store::Follower& follower_;
  Logs& logs_;
  const Instant started_;
  std::shared_ptr<const store::Snapshot> pipelines_;
  std::vector<observe::Recorder*> recorders_;
  observe::TraceLog traces_;
  std::vector<observe::Record> gathered_;
  std::deque<observe::Record> failures_;
  std::unique_ptr<StoreFlusher>
      flusher_;  // null: the store is no server, or nothing is to go there
  std::unique_ptr<OtlpExporter> exporter_;  // null: spans are not wanted
  uint64_t spans_recorded_ = 0;
  uint64_t spans_missed_ = 0;
  uint64_t requests_missed_ = 0;
  observe::Flushed flushed_;
  bool started_is_told_ = false;
  bool stopping_ = false;
  net::Bell bell_;
  net::Bell pause_;
};

}  // namespace fnkit::server
