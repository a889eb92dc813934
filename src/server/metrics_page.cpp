#include "fnkit/observe/metrics_text.hpp"
#include "server/endpoint_totals.hpp"
#include "server/observe_pages.hpp"
#include "server/process_usage.hpp"

namespace fnkit::server {
namespace {

using observe::Cause;
using observe::MetricsText;
using Type = MetricsText::Type;

double number(uint64_t count) { return static_cast<double>(count); }
double seconds(uint64_t nanoseconds) { return number(nanoseconds) / 1e9; }

void add_pipelines(MetricsText& text, const observe::Totals& totals) {
  const auto& pipelines = totals.pipelines;
  text.begin("fnkit_requests_total", "Runs of pipelines that were answered, by class of status.",
             Type::counter);
  for (const auto& [name, total] : pipelines) {
    for (size_t first = 2; first < total.answered.size(); ++first) {
      text.add({{"pipeline", name}, {"code", std::to_string(first) + "xx"}},
               number(total.answered[first]));
    }
  }
  text.begin("fnkit_request_failures_total", "Runs of pipelines that a step's failure ended.",
             Type::counter);
  for (const auto& [name, total] : pipelines) text.add({{"pipeline", name}}, number(total.failed));
  text.begin("fnkit_requests_cancelled_total",
             "Runs of pipelines whose callers left before they were answered.", Type::counter);
  for (const auto& [name, total] : pipelines) {
    text.add({{"pipeline", name}}, number(total.cancelled));
  }
  text.begin("fnkit_requests_in_progress", "Runs of pipelines in progress now.", Type::gauge);
  for (const auto& [name, total] : pipelines) {
    text.add({{"pipeline", name}}, number(total.in_progress));
  }
  text.begin("fnkit_request_duration_seconds",
             "From a request's being read to its answer, of runs that were answered.",
             Type::histogram);
  for (const auto& [name, total] : pipelines) text.add({{"pipeline", name}}, total.latency);
  text.begin("fnkit_requests_unrouted_total",
             "Requests answered without running a pipeline, by status.", Type::counter);
  for (const auto& [status, count] : totals.unrouted) {
    text.add({{"code", std::to_string(status)}}, number(count));
  }
}

void add_steps(MetricsText& text, const observe::Totals& totals) {
  text.begin("fnkit_step_duration_seconds", "Calls of steps, from asking for a connection on.",
             Type::histogram);
  for (const auto& [name, total] : totals.steps) text.add({{"step", name}}, total.latency);
  text.begin("fnkit_step_failures_total", "Calls of steps that failed, by cause.", Type::counter);
  for (const auto& [name, total] : totals.steps) {
    for (const Cause cause : {Cause::connect, Cause::timeout, Cause::reset, Cause::protocol,
                              Cause::status, Cause::shed}) {
      text.add({{"step", name}, {"cause", std::string(name_of(cause))}}, number(total.of(cause)));
    }
  }
  text.begin("fnkit_step_cancelled_total",
             "Calls of steps given up because their caller left or another step had failed.",
             Type::counter);
  for (const auto& [name, total] : totals.steps) {
    text.add({{"step", name}}, number(total.of(Cause::cancelled)));
  }
}

void add_functions(MetricsText& text, const std::map<std::string, EndpointTotal>& endpoints) {
  text.begin("fnkit_function_connections", "Connections to functions now, by state.", Type::gauge);
  for (const auto& [name, total] : endpoints) {
    text.add({{"function", name}, {"state", "idle"}}, number(total.idle()));
    text.add({{"function", name}, {"state", "busy"}}, number(total.busy));
    text.add({{"function", name}, {"state", "connecting"}}, number(total.connecting));
  }
  const auto add = [&](const char* name, const char* help, uint64_t EndpointTotal::*count) {
    text.begin(name, help, Type::counter);
    for (const auto& [function, total] : endpoints) {
      text.add({{"function", function}}, number(total.*count));
    }
  };
  add("fnkit_function_calls_total", "Calls of functions that have ended.", &EndpointTotal::calls);
  add("fnkit_function_connections_opened_total",
      "Connections opened to functions; all other calls used one that was open.",
      &EndpointTotal::connected);
  add("fnkit_function_calls_shared_total",
      "Calls sent behind another that was not answered yet (pipelining).", &EndpointTotal::shared);
  add("fnkit_function_retries_total", "Calls sent again on a new connection.",
      &EndpointTotal::repeated);
  text.begin("fnkit_function_pipelining_depth",
             "How many calls a connection had with each that was given to it.", Type::histogram);
  const auto& depths = http::EndpointCounts::kDepths;
  for (const auto& [function, total] : endpoints) {
    text.add({{"function", function}}, std::vector<double>(depths.begin(), depths.end()),
             {total.depths.begin(), total.depths.end()}, number(total.depth_sum));
  }
}

void add_limits(MetricsText& text, const observe::Totals& totals) {
  text.begin("fnkit_limit_hits_total",
             "Requests and calls that ran into a limit, named as the flag that sets it.",
             Type::counter);
  for (size_t i = 0; i < observe::kLimits; ++i) {
    const auto limit = static_cast<observe::Limit>(i);
    text.add({{"limit", std::string(name_of(limit))}}, number(totals.limits[i]));
  }
}

void add_store(MetricsText& text, const Observatory& observatory) {
  const store::FollowerStatus& store = observatory.store_status();
  text.gauge("fnkit_store_connected", "1 while the store answers.", store.connected ? 1 : 0);
  text.gauge("fnkit_store_loaded", "1 once all pipelines have been read.", store.loaded ? 1 : 0);
  text.begin("fnkit_store_changes_info", "How changes of the store are learnt.", Type::gauge);
  if (!store.changes_by.empty()) text.add({{"by", store.changes_by}}, 1);
  if (store.compared_at) {
    const std::chrono::duration<double> age = observatory.now() - *store.compared_at;
    const auto clock = observe::WallClock::of_system();
    text.gauge("fnkit_store_last_comparison_timestamp_seconds",
               "When everything stored was last read and compared.",
               seconds(clock.unix_nanoseconds(*store.compared_at)));
    text.gauge("fnkit_store_age_seconds", "How long ago that was.", age.count());
  }
  text.gauge("fnkit_pipelines", "Pipelines that are stored.", number(store.pipelines));
  text.gauge("fnkit_pipelines_invalid", "Stored values that are no pipelines.",
             number(store.invalid));
}

void add_records(MetricsText& text, const Observatory& observatory) {
  text.begin("fnkit_records_total", "What was written down, by kind.", Type::counter);
  for (const RecordCounts& counts : observatory.record_counts()) {
    text.add({{"kind", counts.kind}}, number(counts.recorded));
  }
  text.begin("fnkit_records_dropped_total",
             "What was written down and has not come where it belongs: newer took its place.",
             Type::counter);
  for (const RecordCounts& counts : observatory.record_counts()) {
    text.add({{"kind", counts.kind}}, number(counts.dropped));
  }
}

void add_log(MetricsText& text, const Observatory& observatory) {
  text.counter("fnkit_log_lines_dropped_total",
               "Lines of the log that stderr did not take in time.",
               number(observatory.log_lines_dropped()));
}

void add_cores(MetricsText& text, const Observatory& observatory) {
  using Read = double (*)(const Worker&);
  const auto add = [&](const char* name, const char* help, Type type, Read read) {
    text.begin(name, help, type);
    for (size_t core = 0; core < observatory.workers().size(); ++core) {
      text.add({{"core", std::to_string(core)}}, read(*observatory.workers()[core]));
    }
  };
  add("fnkit_core_requests_total", "Requests answered, of all kinds.", Type::counter,
      [](const Worker& worker) { return number(worker.recorder().series().requests.get()); });
  add("fnkit_core_connections", "Callers' connections open now.", Type::gauge,
      [](const Worker& worker) { return number(worker.recorder().series().connections.get()); });
  add("fnkit_core_busy_seconds_total", "Time the loop did not wait.", Type::counter,
      [](const Worker& worker) { return seconds(worker.loop_counts().busy_nanoseconds.get()); });
  add("fnkit_core_turns_total", "Turns of the loop.", Type::counter,
      [](const Worker& worker) { return number(worker.loop_counts().turns.get()); });
  add("fnkit_core_enters_total", "System calls that hand over to the ring, wait or both.",
      Type::counter,
      [](const Worker& worker) { return number(worker.loop_counts().enters.get()); });
  add("fnkit_core_buffers_exhausted_total", "Receives that found no buffer and began anew.",
      Type::counter,
      [](const Worker& worker) { return number(worker.loop_counts().buffers_exhausted.get()); });
  add("fnkit_core_completion_overflows_total", "Times the completion queue was too small.",
      Type::counter,
      [](const Worker& worker) { return number(worker.loop_counts().overflows.get()); });
}

// Named as Prometheus' client libraries name them.
void add_process(MetricsText& text) {
  const ProcessUsage usage = process_usage();
  text.begin("fnkit_build_info", "The program's version.", Type::gauge);
  text.add({{"version", FNKIT_VERSION}}, 1);
  text.counter("process_cpu_seconds_total", "User and system CPU time.", usage.cpu_seconds);
  text.gauge("process_resident_memory_bytes", "Resident memory.", number(usage.resident_bytes));
  text.gauge("process_virtual_memory_bytes", "Virtual memory.", number(usage.virtual_bytes));
  text.gauge("process_open_fds", "Open file descriptors.", number(usage.open_descriptors));
  text.gauge("process_max_fds", "Most file descriptors.", number(usage.descriptors_max));
  text.gauge("process_start_time_seconds", "When the process began, since 1970.",
             usage.start_unix_seconds);
}

}  // namespace

std::string metrics_text(const Observatory& observatory) {
  const observe::Totals totals = observatory.totals();
  MetricsText text;
  add_pipelines(text, totals);
  add_steps(text, totals);
  add_functions(text, endpoint_totals(observatory.workers()));
  add_limits(text, totals);
  add_store(text, observatory);
  add_records(text, observatory);
  add_log(text, observatory);
  add_cores(text, observatory);
  add_process(text);
  return text.text();
}

}  // namespace fnkit::server
