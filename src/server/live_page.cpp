#include "fnkit/json/writer.hpp"
#include "server/endpoint_totals.hpp"
#include "server/function_directory.hpp"
#include "server/observe_pages.hpp"

namespace fnkit::server {
namespace {

using observe::Cause;
using observe::Record;

// What a page can show; those that were called come first.
constexpr size_t kPipelinesMax = 1000;

// Why it failed, and where it answered, what.
std::string reason_of(const Record& record) {
  if (record.cause != Cause::status || record.step == nullptr) {
    return std::string(record.part(Record::Part::error));
  }
  return "answered " + std::to_string(record.status) + ": " +
         std::string(record.part(Record::Part::preview));
}

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// Only the buckets that have something.
void add_latency(json::Writer& json, const observe::HistogramSum& latency) {
  json.key("latency").begin_object();
  json.member("sum", static_cast<double>(latency.sum_nanoseconds) / 1e9);
  json.key("buckets").begin_array();
  for (size_t i = 0; i < latency.buckets.size(); ++i) {
    if (latency.buckets[i] == 0) continue;
    json.begin_array().value(i).value(latency.buckets[i]).end_array();
  }
  json.end_array().end_object();
}

void add_store(json::Writer& json, const Observatory& observatory) {
  const store::FollowerStatus& store = observatory.store_status();
  json.key("store").begin_object();
  json.member("url", observatory.settings().store.to_text());
  json.member("loaded", store.loaded).member("connected", store.connected);
  json.member("changes_by", store.changes_by).member("trouble", store.trouble).key("age_seconds");
  if (store.compared_at) {
    json.value(seconds(observatory.now() - *store.compared_at));
  } else {
    json.null();
  }
  json.member("pipelines", store.pipelines).member("invalid", store.invalid);
  json.key("invalid_pipelines").begin_array();
  for (const auto& each : store.some_invalid) {
    json.begin_object().member("name", each.name).member("why", each.why).end_object();
  }
  json.end_array().end_object();
}

void add_records(json::Writer& json, const Observatory& observatory) {
  json.key("records").begin_object();
  for (const RecordCounts& counts : observatory.record_counts()) {
    json.key(counts.kind + "s").begin_object().member("recorded", counts.recorded);
    json.member("dropped", counts.dropped).end_object();
  }
  json.member("log_lines_dropped", observatory.log_lines_dropped());
  json.member("kept_in", observatory.in_store() ? "valkey" : "memory");
  json.end_object();
}

void add_cores(json::Writer& json, const Observatory& observatory) {
  json.key("cores").begin_array();
  size_t number = 0;
  for (const auto& worker : observatory.workers()) {
    const observe::CoreSeries& series = worker->recorder().series();
    const ring::LoopCounts& loop = worker->loop_counts();
    json.begin_object().member("core", number++).member("requests", series.requests.get());
    json.member("in_progress", series.in_progress.get());
    json.member("connections", series.connections.get());
    json.member("busy_seconds", static_cast<double>(loop.busy_nanoseconds.get()) / 1e9);
    json.member("turns", loop.turns.get()).member("enters", loop.enters.get()).end_object();
  }
  json.end_array();
}

void add_pipeline(json::Writer& json, const Observatory& observatory, std::string_view name,
                  const observe::PipelineTotal& total) {
  json.begin_object().member("name", name).key("mode");
  const store::Entry* entry = observatory.pipelines().find(name);
  const bool has_plan = entry != nullptr && entry->plan != nullptr;
  if (has_plan) {
    json.value(pipeline::mode_of(*entry->plan));
  } else {
    json.null();
  }
  json.key("steps").begin_array();
  if (has_plan) {
    for (const std::string& step : pipeline::step_names(*entry->plan)) json.value(step);
  }
  json.end_array();
  json.member("requests", total.requests()).member("failures", total.failed);
  json.member("cancelled", total.cancelled).member("in_progress", total.in_progress);
  add_latency(json, total.latency);
  json.end_object();
}

void add_pipelines(json::Writer& json, const Observatory& observatory,
                   const observe::Totals& totals) {
  json.member("pipelines_total", observatory.pipelines().size());
  json.key("pipelines").begin_array();
  size_t shown = 0;
  for (const auto& [name, total] : totals.pipelines) {
    add_pipeline(json, observatory, name, total);
    ++shown;
  }
  for (size_t part = 0; part < store::Snapshot::kParts; ++part) {
    if (shown >= kPipelinesMax) break;
    for (const std::string_view name : observatory.pipelines().names(part)) {
      if (shown >= kPipelinesMax) break;
      if (totals.pipelines.find(name) != totals.pipelines.end()) continue;
      add_pipeline(json, observatory, name, {});
      ++shown;
    }
  }
  json.end_array();
}

void add_step(json::Writer& json, const std::string& name, const observe::StepTotal& total) {
  json.begin_object().member("name", name).member("calls", total.calls());
  json.key("failures").begin_object();
  for (const Cause cause : {Cause::connect, Cause::timeout, Cause::reset, Cause::protocol,
                            Cause::status, Cause::shed}) {
    json.member(observe::name_of(cause), total.of(cause));
  }
  json.end_object().member("cancelled", total.of(Cause::cancelled));
  add_latency(json, total.latency);
}

void add_steps(json::Writer& json, const Observatory& observatory, const observe::Totals& totals) {
  const std::map<std::string, EndpointTotal> endpoints = endpoint_totals(observatory.workers());
  json.key("steps").begin_array();
  for (const auto& [name, total] : totals.steps) {
    add_step(json, name, total);
    const std::string function = endpoint_of(observatory.settings(), name).to_text();
    json.member("function", function).key("connections").begin_object();
    const auto endpoint = endpoints.find(function);
    const EndpointTotal none;
    const EndpointTotal& its = endpoint != endpoints.end() ? endpoint->second : none;
    json.member("idle", its.idle()).member("busy", its.busy).member("connecting", its.connecting);
    json.end_object().end_object();
  }
  json.end_array();
}

void add_failures(json::Writer& json, const Observatory& observatory) {
  const auto clock = observe::WallClock::of_system();
  json.key("failures").begin_array();
  const auto& failures = observatory.failures();
  for (auto record = failures.rbegin(); record != failures.rend(); ++record) {
    json.begin_object().member("timestamp", clock.iso(record->began + record->took));
    json.member("pipeline", record->pipeline->name);
    json.member("step", record->step != nullptr ? record->step->name : "");
    json.member("status", record->status).member("reason", reason_of(*record));
    json.member("request_id", record->part(Record::Part::request_id));
    json.member("trace_id", observe::trace_id_of(*record));
    json.member("latency_ms", seconds(record->took) * 1e3).end_object();
  }
  json.end_array();
}

}  // namespace

std::string live_json(const Observatory& observatory) {
  const auto clock = observe::WallClock::of_system();
  const observe::Totals totals = observatory.totals();
  json::Writer json;
  json.begin_object().member("service", "fnkit-orchestrator").member("version", FNKIT_VERSION);
  json.member("now", clock.iso(observatory.now()));
  json.member("started", clock.iso(observatory.started()));
  json.member("uptime_seconds", seconds(observatory.now() - observatory.started()));
  json.key("bounds").begin_array();
  for (const int64_t bound : observe::kLatencyBounds) json.value(static_cast<double>(bound) / 1e9);
  json.end_array();
  add_store(json, observatory);
  add_records(json, observatory);
  add_cores(json, observatory);
  add_pipelines(json, observatory, totals);
  add_steps(json, observatory, totals);
  add_failures(json, observatory);
  json.key("refused").begin_object();
  for (const auto& [status, count] : totals.unrouted) {
    if (status >= 400) json.member(std::to_string(status), count);
  }
  json.end_object().end_object();
  return json.text();
}

}  // namespace fnkit::server
