// One core's recorder: counts, and writes down what steps and runs did.
#pragma once

#include <memory>
#include <string>

#include "fnkit/base/intrusive_list.hpp"
#include "fnkit/observe/record.hpp"

namespace fnkit::observe {

struct RecorderOptions {
  bool records = true;      // traces and failures are written down; counters are kept in any case
  bool previews = true;     // with what bodies begin with
  bool spans = false;       // what is sampled or has failed is written down for export
  bool access_log = false;  // every request is written down for the access log
};

struct StepNoteTag;

// One step's call of a run in progress. Belongs to the run.
struct StepNote : ListNode<StepNoteTag> {
  Record record;
  StepSeries* step = nullptr;
  uint64_t span_id = 0;
};
using StepNotes = IntrusiveList<StepNote, StepNoteTag>;

// Made on the control thread. A worker writes; the control thread reads what series() counts and
// take()s from the rings. In a steady state writing takes no lock and no memory, and never waits.
class Recorder {
 public:
  // Each ring holds what a core may write between two visits of the reader, who comes four times a
  // second (for the access log more often). What it misses it knows the number of.
  static constexpr size_t kRecent = 1024;
  static constexpr size_t kFailures = 256;
  static constexpr size_t kSpans = 4096;
  static constexpr size_t kRequests = 8192;

  explicit Recorder(const RecorderOptions& options);
  ~Recorder();

  const RecorderOptions& options() const { return options_; }
  CoreSeries& series() { return series_; }
  const CoreSeries& series() const { return series_; }

  RecordRing& recent() { return *recent_; }
  RecordRing& failures() { return *failures_; }
  RecordRing& spans() { return *spans_; }        // with options().spans
  RecordRing& requests() { return *requests_; }  // with options().access_log

  // A request that runs no pipeline has been answered.
  struct Unrouted {
    int status;
    Instant began;
    Duration took;
    std::string_view request_id, caller, method, path;
  };
  void unrouted(const Unrouted& request);

 private:
  friend class Run;
  StepNote& take_note();
  void give_back(StepNote& note);

  const RecorderOptions options_;
  CoreSeries series_;
  std::unique_ptr<RecordRing> recent_, failures_, spans_, requests_;
  StepNotes unused_;  // as many as steps were in progress at once
  Record record_;     // being put together
};

// One run of a pipeline, from its beginning until finish(). Lives on the worker's thread.
class Run {
 public:
  struct Head {
    Instant began;
    std::array<uint64_t, 2> trace_id;
    uint64_t span_id, parent_span_id;
    bool sampled;
    // All stay until finish().
    std::string_view request_id, caller, method;
    std::string_view name;    // the pipeline's
    std::string_view suffix;  // of the path, behind the name
  };

  Run(Recorder& recorder, PipelineSeries& pipeline, const Head& head);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // A call begins; until it is ended it counts as cancelled.
  StepNote& begin(StepSeries& step, std::string_view method, Instant now, uint64_t span_id);
  // It was answered with `status` and `body`.
  void answered(StepNote& note, Instant now, int status, std::string_view body);
  // It was not answered, and `status` stands for why.
  void not_answered(StepNote& note, Instant now, Cause cause, int status, std::string_view why);

  // The run has ended: counts it, and writes down its steps and itself. `error` is the first
  // failure's reason, empty where there is none. Once.
  struct End {
    Instant now;
    int status;
    bool caller_left;
    std::string_view body;
    std::string_view error;
  };
  void finish(const End& end);

  // Appends "name;dur=1.234" for each step and "total", in milliseconds, as Server-Timing's value
  // (W3C Server Timing section 3).
  void append_server_timing(std::string& out, Instant now) const;

 private:
  bool writes() const;
  void ended(StepNote& note, Instant now, Cause cause, int status);
  Record& run_record(const End& end, bool run_failed);
  void write(Record& record, bool is_failure, bool is_span, const Record::Spans& spans);

  Recorder& recorder_;
  PipelineSeries& pipeline_;
  const Head head_;
  mutable StepNotes steps_;
};

}  // namespace fnkit::observe
