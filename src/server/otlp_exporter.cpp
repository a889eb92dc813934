#include "server/otlp_exporter.hpp"

#include <algorithm>

#include "fnkit/base/log.hpp"
#include "fnkit/base/text.hpp"
#include "fnkit/http/request_writer.hpp"
#include "fnkit/json/value.hpp"

namespace fnkit::server {
namespace {

constexpr Duration kWaitMin = std::chrono::milliseconds(500);
constexpr Duration kWaitMax = std::chrono::seconds(16);
constexpr size_t kAnswerBytesMax = 4 * 1024 * 1024;  // the specification's
constexpr size_t kAnswerDepthMax = 16;
constexpr size_t kDetailBytesMax = 512;  // of what the receiver says, in a log line

// One connection, which need not wait in line with others.
http::ClientOptions client_options() {
  http::ClientOptions options;
  options.limits.body_bytes_max = kAnswerBytesMax;
  options.connections_max = 1;
  options.pipelining_depth = 1;
  options.idle_timeout = 2 * OtlpExporter::kInterval;
  return options;
}

bool is_retryable(int status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

struct PartialSuccess {
  uint64_t rejected = 0;
  std::string why;
};

// From an ExportTraceServiceResponse. A text that is none says nothing: its status was good.
PartialSuccess partial_success(std::string_view body) {
  PartialSuccess partial;
  const Result<json::Value> answer = json::parse(body, kAnswerDepthMax);
  const json::Value* told = answer ? answer.value().find("partialSuccess") : nullptr;
  if (told == nullptr) return partial;
  if (const json::Value* rejected = told->find("rejectedSpans")) {
    const std::string* text = rejected->as_string();  // as 64 bits should be
    partial.rejected =
        (text != nullptr ? parse_decimal(*text) : rejected->as_unsigned()).value_or(0);
  }
  const json::Value* message = told->find("errorMessage");
  if (message != nullptr && message->as_string() != nullptr) partial.why = *message->as_string();
  return partial;
}

}  // namespace

OtlpExporter::OtlpExporter(ring::Ring& ring, net::Resolver& resolver, Random& random,
                           OtlpEndpoint endpoint, observe::Resource resource)
    : ring_(ring),
      random_(random),
      endpoint_(std::move(endpoint)),
      resource_(std::move(resource)),
      options_(client_options()),
      pool_(ring, resolver, random, options_, counts_),
      wait_(kWaitMin),
      bell_(ring),
      farewell_(&time_is_up, this) {}

void OtlpExporter::add(observe::Span span) {
  if (stopped_ || held() >= kSpansMax) {
    ++dropped_;
    return;
  }
  waiting_.push_back(std::move(span));
  if (!batch_.empty()) return;  // that comes first
  const Instant due = due_for_waiting();
  if (due >= due_) return;
  due_ = due;
  bell_.ring();
}

coro::Task<void> OtlpExporter::run() {
  while (!stopped_) {
    co_await bell_.wait(due_);
    if (stopped_ || ring_.now() < due_) continue;
    co_await export_batch();
  }
  // A batch that is kept then has had its last chance.
  bool gets_away = true;
  while (held() > 0 && gets_away && !scope_.cancelled()) {
    co_await export_batch();
    gets_away = batch_.empty();
  }
  farewell_.unlink();
  if (held() > 0) {
    log_event(LogLevel::warning, "otlp", "spans lost at the end",
              {{"url", endpoint_.to_text()}, {"spans", std::to_string(held())}});
  }
  dropped_ += held();
  batch_.clear();
  waiting_.clear();
  co_await pool_.close();
}

void OtlpExporter::stop() {
  stopped_ = true;
  ring_.timers().arm(farewell_, later(ring_.now(), kFarewell));
  bell_.ring();
}

void OtlpExporter::time_is_up(void* exporter) {
  static_cast<OtlpExporter*>(exporter)->scope_.cancel();
}

Instant OtlpExporter::due_for_waiting() const {
  if (waiting_.empty()) return kNever;
  return waiting_.size() < kBatchMax ? later(ring_.now(), kInterval) : ring_.now();
}

void OtlpExporter::take_batch() {
  const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), kBatchMax));
  batch_.assign(std::make_move_iterator(waiting_.begin()),
                std::make_move_iterator(waiting_.begin() + count));
  waiting_.erase(waiting_.begin(), waiting_.begin() + count);
}

// Sends one batch and decides what becomes of it: it is empty then, or to be sent again when due_.
coro::Task<void> OtlpExporter::export_batch() {
  if (batch_.empty()) take_batch();
  const std::string body = observe::to_otlp_json(batch_, resource_);
  http::RequestWriter writer;
  writer.begin("POST", endpoint_.path, {}, endpoint_.authority);
  writer.field("content-type", "application/json");
  writer.field("user-agent", "fnkit-orchestrator/" FNKIT_VERSION);
  http::OutgoingRequest request;
  request.head = writer.end("POST", body.size());
  request.body = body;
  request.may_repeat = true;  // a span twice is better than none (specification, "Duplicate Data")
  http::Upstream& upstream = pool_.upstream(endpoint_.endpoint);
  const Instant until = later(ring_.now(), kCallTimeout);
  http::CallResult answer = co_await pool_.call(upstream, request, until, scope_);
  if (answer) {
    judge(*answer);
  } else if (answer.error().kind == http::CallError::Kind::protocol) {
    drop(answer.error().detail);
  } else {
    keep(answer.error().detail, Duration(0));
  }
  if (batch_.empty()) due_ = due_for_waiting();
}

void OtlpExporter::judge(const http::IncomingResponse& answer) {
  if (answer.status >= 200 && answer.status < 300) {
    judge_accepted(answer);
    return;
  }
  std::string why = "status " + std::to_string(answer.status);
  if (!answer.body.bytes.empty()) {
    why += ": ";
    why += answer.body.bytes.substr(0, kDetailBytesMax);
  }
  if (!is_retryable(answer.status)) {
    drop(why);
    return;
  }
  // Retry-After may also be a date; then it is as if it were not there.
  constexpr auto kMax = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(kRetryAfterMax).count());
  const uint64_t seconds = std::min(parse_decimal(answer.retry_after).value_or(0), kMax);
  keep(why, std::chrono::seconds(static_cast<int64_t>(seconds)));
}

void OtlpExporter::judge_accepted(const http::IncomingResponse& answer) {
  const PartialSuccess partial = partial_success(answer.body.bytes);
  const uint64_t rejected = std::min<uint64_t>(partial.rejected, batch_.size());
  exported_ += batch_.size() - rejected;
  dropped_ += rejected;
  batch_.clear();
  wait_ = kWaitMin;
  if (rejected == 0) {
    tell({});
  } else {
    tell(std::to_string(rejected) + " spans rejected: " + partial.why.substr(0, kDetailBytesMax));
  }
}

void OtlpExporter::keep(std::string_view why, Duration wait_min) {
  due_ = later(ring_.now(), std::max(wait_min, next_wait()));
  if (!scope_.cancelled()) tell(why);
}

void OtlpExporter::drop(std::string_view why) {
  dropped_ += batch_.size();
  batch_.clear();
  wait_ = kWaitMin;
  tell(why);
}

// Empty: all is well.
void OtlpExporter::tell(std::string_view trouble) {
  const bool in_trouble = !trouble.empty();
  if (std::exchange(in_trouble_, in_trouble) == in_trouble) return;
  const std::string url = endpoint_.to_text();
  if (in_trouble) {
    log_event(LogLevel::warning, "otlp", "spans are not exported",
              {{"url", url}, {"detail", trouble}});
  } else {
    log_event(LogLevel::info, "otlp", "spans are exported again",
              {{"url", url}, {"dropped", std::to_string(dropped_)}});
  }
}

// Doubling, of which the second half is left to chance: instances that lost the same receiver do
// not come back to it in step.
Duration OtlpExporter::next_wait() {
  const Duration wait = wait_;
  wait_ = std::min(2 * wait, kWaitMax);
  const auto half = static_cast<uint64_t>(wait.count() / 2);
  return Duration(static_cast<int64_t>(half + random_.below(half)));
}

}  // namespace fnkit::server
