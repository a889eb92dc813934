// Answers that become part of a JSON object: looked at, and merged.
#include <string>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/json/quote.hpp"
#include "fnkit/json/validate.hpp"
#include "fnkit/pipeline/run.hpp"
#include "micro/measured.hpp"

namespace fnkit::bench {
namespace {

constexpr size_t kBytes = 64 * 1024;

// Records as functions answer with: short names, numbers, text with an escape here and there.
std::string records(size_t bytes) {
  std::string text = "[";
  for (size_t i = 0; text.size() < bytes; ++i) {
    const std::string number = std::to_string(i);
    if (i > 0) text += ',';
    text += R"({"id":)" + number + R"(,"name":"customer )" + number +
            R"(","price":19.95,"tags":["new","say \"hello\""],"city":"Köln","paid":true})";
  }
  return text + "]";
}

void json_validate(benchmark::State& state) {
  const std::string text = records(kBytes);
  measured(state, [&] { REQUIRE(json::is_valid(text)); });
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(json_validate)->Apply(as_asked);

void json_quote(benchmark::State& state) {
  const std::string text = records(kBytes);
  std::string quoted;
  measured(state, [&] {
    quoted.clear();
    json::append_quoted(quoted, text);
  });
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(text.size()));
}
BENCHMARK(json_quote)->Apply(as_asked);

// Each function has answered before it is asked.
struct AnsweringAtOnce final : pipeline::Functions {
  coro::Task<Result<pipeline::Output, pipeline::StepError>> call(const pipeline::Call&,
                                                                 const pipeline::Payload&, Instant,
                                                                 coro::CancelScope&) override {
    pipeline::Output output;
    output.payload.content_type = "application/json";
    output.payload.body.bytes = answer;
    co_return output;
  }
  std::string answer = records(kBytes);
};

coro::Task<void> run(const pipeline::Plan& plan, AnsweringAtOnce& functions, size_t& merged_bytes) {
  const http::Request request;
  coro::CancelScope scope;
  const pipeline::Context context{functions, scope, kNever, 16 * kBytes};
  const pipeline::Ended ended = co_await pipeline::run(plan, request, context);
  merged_bytes += ended.response.body.bytes.size();
}

// Three answers looked at and merged.
void json_splice(benchmark::State& state) {
  const auto plan = pipeline::compile(R"({"steps":["a","b","c"],"mode":"parallel"})");
  AnsweringAtOnce functions;
  size_t merged_bytes = 0;
  coro::TaskGroup group;
  measured(state, [&] { group.spawn(run(*plan, functions, merged_bytes)); });
  state.SetBytesProcessed(static_cast<int64_t>(merged_bytes));
}
BENCHMARK(json_splice)->Apply(as_asked);

}  // namespace
}  // namespace fnkit::bench
