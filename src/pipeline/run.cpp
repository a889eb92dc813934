#include "fnkit/pipeline/run.hpp"

#include "pipeline/failure_response.hpp"
#include "pipeline/steps/steps.hpp"

namespace fnkit::pipeline {
namespace {

// The caller's body as the first step's input.
Payload input_of(const http::Request& request) {
  Payload input;
  input.body.bytes = request.body;
  input.content_type = request.header("content-type").value_or(std::string_view());
  return input;
}

http::Response to_response(Output output) {
  http::Response response;
  response.status = output.status;
  response.content_type = output.payload.content_type;
  if (!output.payload.content_encoding.empty()) {
    response.extra_headers =
        "content-encoding: " + std::string(output.payload.content_encoding) + "\r\n";
  }
  response.body = std::move(output.payload.body);
  return response;
}

std::string in_words(const StepError& error) {
  const std::string what =
      error.answered ? "answered " + std::to_string(error.status) : error.detail;
  return error.step + ": " + what;
}

}  // namespace

coro::Task<Ended> run(const Plan& plan, const http::Request& request, Context context) {
  if (nodes_of(plan).empty()) {
    constexpr std::string_view kNoSteps = "Pipeline has no steps";
    co_return Ended{http::error_response(400, kNoSteps), std::string(kNoSteps)};
  }
  const Payload input = input_of(request);
  Outcome outcome = co_await run_node(plan.root, input, context);
  if (outcome) co_return Ended{to_response(std::move(*outcome)), {}};
  const Failure& failure = outcome.error();
  const bool parallel = std::holds_alternative<Parallel>(plan.root.kind);
  http::Response response = parallel ? parallel_failure(failure) : sequential_failure(failure);
  co_return Ended{std::move(response), in_words(failure.front())};
}

coro::Task<Outcome> run_node(const Node& node, const Payload& input, Context context) {
  if (const auto* call = std::get_if<Call>(&node.kind)) return call_function(*call, input, context);
  if (const auto* sequence = std::get_if<Sequence>(&node.kind)) {
    return run_sequence(*sequence, input, context);
  }
  return run_parallel(std::get<Parallel>(node.kind), input, context);
}

}  // namespace fnkit::pipeline
