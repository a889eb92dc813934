#include "fnkit/server/worker.hpp"

#include "fnkit/base/log.hpp"
#include "fnkit/http/client_pool.hpp"
#include "server/beginners.hpp"
#include "server/callers.hpp"
#include "server/function_caller.hpp"
#include "server/function_relay.hpp"

namespace fnkit::server {
namespace {

// Steps that are orchestrators themselves: a pipeline that calls itself must come to an end.
constexpr size_t kOrchestratorsMax = 4;
// How long connections wait for the first reading of the store.
constexpr Duration kStorePatience = std::chrono::seconds(1);

}  // namespace

// Everything that lives on the worker's thread.
class Worker::Core final : public http::Handler {
 public:
  Core(const Settings& settings, ring::Ring& ring, Shared& shared, Worker& worker,
       PageSource& pages)
      : settings_(settings),
        ring_(ring),
        shared_(shared),
        worker_(worker),
        pages_(pages),
        series_(shared.recorder.series()),
        random_(random_seed()),
        resolver_(ring, settings.dns),
        pool_(ring, resolver_, random_, settings.functions, shared.client_counts),
        streams_(ring, resolver_, random_, settings.functions.connections_max),
        functions_(settings, pool_, series_),
        calling_{settings, ring, random_, pool_, streams_, functions_, series_},
        beginners_(ring),
        callers_(settings, ring, *this, random_, series_) {}

  coro::Task<void> serve(std::vector<int> listeners);

  http::Admission admit(const http::Request& head) override;
  coro::Task<http::Response> handle(http::Request& request) override;
  void not_read(const http::Request& head, int status, bool in_body) override;

 private:
  Route route_request(const http::Request& request) const;
  bool crowded() const;
  std::optional<http::Response> overload() const;
  void refuse_call(const http::Request& request, Route& route) const;
  coro::Task<http::Response> show_page(const http::Request& request, Instant began);
  coro::Task<http::Response> run_pipeline(const http::Request& request, const Route& route,
                                          Instant began);
  coro::Task<http::Response> pass_to_function(const http::Request& request, const Route& route,
                                              Instant began);
  bool wants_timing(const http::Request& request) const;
  void count_unrouted(const http::Request& request, int status, Instant began);
  void adopt();
  void drain();
  void tell_counts() const;
  static void woken(void* core);

  const Settings& settings_;
  ring::Ring& ring_;
  Shared& shared_;
  Worker& worker_;
  PageSource& pages_;
  observe::CoreSeries& series_;
  Random random_;
  net::Resolver resolver_;
  http::ClientPool pool_;
  http::ExclusivePool streams_;
  FunctionDirectory functions_;
  Calling calling_;
  // What requests run on; a request in progress keeps the version that it began with.
  LocalRef<std::shared_ptr<const store::Snapshot>> pipelines_;
  std::shared_ptr<const store::FollowerStatus> store_status_;
  std::shared_ptr<const Tokens> tokens_;
  size_t requests_in_progress_ = 0;
  Beginners beginners_;
  coro::Event store_looked_at_;
  Callers callers_;
};

coro::Task<void> Worker::Core::serve(std::vector<int> listeners) {
  adopt();
  shared_.wakeup.listen(ring_, &woken, this);
  // Whoever calls before the pipelines are there would be told so, instead of being answered a
  // moment later: after a restart that would be a failure. Connections wait in the kernel.
  ring::Timer patience(&coro::Event::set_it, &store_looked_at_);
  ring_.timers().arm(patience, later(ring_.now(), kStorePatience));
  co_await store_looked_at_.wait();
  co_await callers_.serve(std::move(listeners));
  co_await pool_.close();
  co_await streams_.close();
  tell_counts();
  co_await resolver_.close();
  co_await shared_.wakeup.stop();
}

void Worker::Core::tell_counts() const {
  const http::CallCounts counts = pool_.counts();
  log_event(LogLevel::info, "functions", "calls made by a core that ends",
            {{"answered", std::to_string(counts.answered)},
             {"failed", std::to_string(counts.failed)},
             {"cancelled", std::to_string(counts.cancelled)},
             {"repeated", std::to_string(counts.repeated)},
             {"shared", std::to_string(counts.shared)},
             {"connections", std::to_string(counts.connected)}});
}

Route Worker::Core::route_request(const http::Request& request) const {
  const store::Snapshot* pipelines = pipelines_ ? pipelines_->get() : nullptr;
  return route(request, *tokens_, pipelines,
               {pipelines != nullptr, callers_.draining(), store_status_.get(), ring_.now()},
               settings_.gateway ? Others::pass_to_functions : Others::unknown);
}

// Calls wait for connections, or requests are refused.
bool Worker::Core::crowded() const {
  return pool_.calls_waiting() > 0 || requests_in_progress_ >= settings_.requests_max;
}

// Why no further pipeline can be run now.
std::optional<http::Response> Worker::Core::overload() const {
  if (requests_in_progress_ >= settings_.requests_max) {
    return http::retry_later("Too many requests in progress");
  }
  if (Buffer::thread_holds_too_much()) {
    return http::holds_too_much();
  }
  return std::nullopt;
}

http::Admission Worker::Core::admit(const http::Request& head) {
  Route route = route_request(head);
  if (route.to != Route::To::answer) return {overload(), route.to == Route::To::function};
  // A good answer is no reason to end the connection: it waits for the rest of the request.
  if (route.answer.status < 400) return {};
  return {std::move(route.answer)};
}

coro::Task<http::Response> Worker::Core::handle(http::Request& request) {
  // The plan lives in this snapshot, whatever is adopted meanwhile.
  const LocalRef<std::shared_ptr<const store::Snapshot>> pipelines = pipelines_;
  const Instant began = ring_.now();
  Route route = route_request(request);
  const bool is_run = route.to == Route::To::pipeline;
  if (is_run && !beginners_.may_begin(crowded())) co_await beginners_.turn();
  if (is_run || route.to == Route::To::function) refuse_call(request, route);
  switch (route.to) {
    case Route::To::pipeline: co_return co_await run_pipeline(request, route, began);
    case Route::To::function: co_return co_await pass_to_function(request, route, began);
    case Route::To::page: co_return co_await show_page(request, began);
    case Route::To::answer: break;
  }
  count_unrouted(request, route.answer.status, began);
  co_return std::move(route.answer);
}

void Worker::Core::refuse_call(const http::Request& request, Route& route) const {
  std::optional<http::Response> refusal = overload();
  if (!refusal && orchestrators_before(request) >= kOrchestratorsMax) {
    refusal = http::error_response(508, "Too many orchestrators call each other");
  }
  if (refusal) route = Route::answered(std::move(*refusal));
}

coro::Task<http::Response> Worker::Core::show_page(const http::Request& request, Instant began) {
  PageQuestion question;
  question.target = request.target;
  question.asker = &worker_;
  pages_.ask(question);
  co_await question.answered.wait();
  http::Response page = question.page.to_response();
  count_unrouted(request, page.status, began);
  co_return page;
}

coro::Task<http::Response> Worker::Core::run_pipeline(const http::Request& request,
                                                      const Route& route, Instant began) {
  const TraceContext trace = TraceContext::of(request, random_, settings_.otlp_sample);
  observe::Run run(
      shared_.recorder, series_.pipelines.of(route.entry->name),
      {began, trace.trace_id, trace.span_id, trace.parent_span_id, trace.sampled,
       request.request_id, request.caller, request.method, route.entry->name, route.step_path});
  FunctionCaller functions(calling_, request, route, trace, run);
  const pipeline::Context context{functions, *request.caller_gone,
                                  later(began, settings_.pipeline_timeout),
                                  settings_.merged_bytes_max};
  ++requests_in_progress_;
  pipeline::Ended ended = co_await pipeline::run(*route.entry->plan, request, context);
  --requests_in_progress_;
  http::Response& response = ended.response;
  const bool caller_left = request.caller_gone->cancelled() && !ended.why_failed.empty();
  run.finish({ring_.now(), response.status, caller_left, response.body.bytes, ended.why_failed});
  if (wants_timing(request)) {
    response.extra_headers += "server-timing: ";
    run.append_server_timing(response.extra_headers, ring_.now());
    response.extra_headers += "\r\n";
  }
  co_return std::move(response);
}

coro::Task<http::Response> Worker::Core::pass_to_function(const http::Request& request,
                                                          const Route& route, Instant began) {
  FunctionRelay relay(calling_, request, route);
  ++requests_in_progress_;
  FunctionRelay::Ended ended = co_await relay.run();
  --requests_in_progress_;
  if (ended.not_read) {
    not_read(request, ended.response.status, true);
  } else {
    count_unrouted(request, ended.caller_left ? observe::kCallerLeft : ended.response.status,
                   began);
  }
  co_return std::move(ended.response);
}

// Who may run a pipeline may know its steps.
bool Worker::Core::wants_timing(const http::Request& request) const {
  return settings_.server_timing || request.header("x-pipeline-debug") == "1";
}

void Worker::Core::not_read(const http::Request& head, int status, bool in_body) {
  using observe::Limit;
  switch (status) {
    case 408: series_.hit(in_body ? Limit::body_timeout : Limit::head_timeout); break;
    case 413: series_.hit(Limit::body_max); break;
    case 414: series_.hit(Limit::target_max); break;
    case 431: series_.hit(Limit::head_max); break;
    default: break;
  }
  count_unrouted(head, status, ring_.now());
}

void Worker::Core::count_unrouted(const http::Request& request, int status, Instant began) {
  if (status == 503 && pipelines_) {
    const bool many = requests_in_progress_ >= settings_.requests_max;
    series_.hit(many ? observe::Limit::requests_max : observe::Limit::held_max);
  }
  shared_.recorder.unrouted({status, began, ring_.now() - began, request.request_id, request.caller,
                             request.method, path_of(request.target)});
}

void Worker::Core::woken(void* context) {
  auto& self = *static_cast<Core*>(context);
  self.adopt();
  for (PageQuestion* question : self.shared_.answered.take()) question->answered.set();
  if (self.shared_.draining.load(std::memory_order_acquire)) self.drain();
}

void Worker::Core::adopt() {
  if (auto pipelines = shared_.pipelines.take()) {
    pipelines_ = LocalRef<std::shared_ptr<const store::Snapshot>>(std::move(pipelines));
  }
  if (auto status = shared_.store_status.take()) store_status_ = std::move(status);
  if (pipelines_ || (store_status_ && !store_status_->trouble.empty())) store_looked_at_.set();
  if (auto tokens = shared_.tokens.take()) tokens_ = std::move(tokens);
}

void Worker::Core::drain() {
  store_looked_at_.set();
  callers_.drain();
}

Worker::Worker(const Settings& settings, std::vector<int> listeners)
    : settings_(settings), listeners_(std::move(listeners)), shared_(settings.record) {}

Worker::~Worker() = default;

void Worker::run(ring::Ring& ring, PageSource& pages) {
  Buffer::limit_thread(settings_.held_bytes_max);
  ring.count_into(shared_.loop_counts);
  Core core(settings_, ring, shared_, *this, pages);
  ring.run(core.serve(std::move(listeners_)));
}

void Worker::publish(std::shared_ptr<const store::Snapshot> pipelines) {
  shared_.pipelines.put(std::move(pipelines));
  shared_.wakeup.notify();
}

void Worker::publish(std::shared_ptr<const store::FollowerStatus> status) {
  shared_.store_status.put(std::move(status));
  shared_.wakeup.notify();
}

void Worker::publish(std::shared_ptr<const Tokens> tokens) {
  shared_.tokens.put(std::move(tokens));
  shared_.wakeup.notify();
}

void Worker::answer(PageQuestion& question) {
  shared_.answered.put(&question);
  shared_.wakeup.notify();
}

void Worker::drain() {
  shared_.draining.store(true, std::memory_order_release);
  shared_.wakeup.notify();
}

}  // namespace fnkit::server
