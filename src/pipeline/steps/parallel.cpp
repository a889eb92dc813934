#include "fnkit/base/text.hpp"
#include "fnkit/coro/task_group.hpp"
#include "fnkit/json/quote.hpp"
#include "fnkit/json/validate.hpp"
#include "pipeline/steps/steps.hpp"

namespace fnkit::pipeline {
namespace {

using Outputs = std::vector<Output, coro::FrameAllocator<Output>>;

// What the branches of one parallel run share.
struct Branches {
  coro::CancelScope scope;  // of all branches: cancelled by the first failure
  Outputs outputs;
  Failure failure;
};

// A compressed answer cannot become part of a JSON object: a failed step, and known at once.
std::optional<StepError> refuse_compressed(const Node& node, const Payload& payload) {
  const std::string_view encoding = payload.content_encoding;
  if (encoding.empty() || equals_ignoring_case(encoding, "identity")) return std::nullopt;
  StepError error;
  error.step = name_of(node);
  error.detail = "its answer is compressed (" + std::string(encoding) +
                 ") and cannot become part of a JSON object";
  return error;
}

coro::Task<void> run_branch(const Node& node, const Payload& input, Context context, size_t index,
                            Branches& branches) {
  Outcome outcome = co_await run_node(node, input, context);
  if (outcome) {
    std::optional<StepError> refused = refuse_compressed(node, outcome->payload);
    if (!refused) {
      branches.outputs[index] = std::move(*outcome);
      co_return;
    }
    Failure failure;
    failure.push_back(std::move(*refused));
    outcome = std::move(failure);
  }
  for (StepError& error : outcome.error()) {
    if (!error.cancelled || branches.failure.empty()) branches.failure.push_back(std::move(error));
  }
  branches.scope.cancel();
}

// application/json and application/<anything>+json, parameters aside (RFC 6839 section 3.1).
bool is_json_type(std::string_view content_type) {
  constexpr std::string_view kApplication = "application/";
  constexpr std::string_view kSuffix = "+json";
  const std::string_view type = trim(content_type.substr(0, content_type.find(';')));
  if (equals_ignoring_case(type, "application/json")) return true;
  return type.size() > kApplication.size() + kSuffix.size() &&
         equals_ignoring_case(type.substr(0, kApplication.size()), kApplication) &&
         equals_ignoring_case(type.substr(type.size() - kSuffix.size()), kSuffix);
}

// The answer's JSON byte for byte, or its text as a JSON string.
void append_value(Buffer& merged, const Payload& payload) {
  const std::string_view bytes = payload.body.bytes;
  if (is_json_type(payload.content_type) && json::is_valid(bytes)) {
    merged.append(bytes);
    return;
  }
  std::string quoted;
  json::append_quoted(quoted, bytes);
  merged.append(quoted);
}

// The outputs as one object; or which of them cannot be a part of it.
Result<Output, StepError> merge(const Parallel& parallel, const Branches& branches,
                                size_t merged_bytes_max) {
  Buffer merged;
  merged.append("{");
  for (const Parallel::Member& member : parallel.members) {
    const Payload& payload = branches.outputs[member.node].payload;
    if (&member != parallel.members.data()) merged.append(",");
    merged.append(member.key);
    append_value(merged, payload);
    if (merged.size() >= merged_bytes_max) {
      StepError error;
      error.step = name_of(parallel.nodes[member.node]);
      error.detail =
          "the merged answer is larger than " + std::to_string(merged_bytes_max) + " bytes";
      return error;
    }
  }
  merged.append("}");
  Output output;
  output.payload.content_type = "application/json";
  output.payload.body.bytes = merged.view();
  output.payload.body.storage = std::move(merged);
  return output;
}

}  // namespace

coro::Task<Outcome> run_parallel(const Parallel& parallel, const Payload& input, Context context) {
  Branches branches{coro::CancelScope(context.scope), Outputs(parallel.nodes.size()), {}};
  coro::TaskGroup running;
  for (size_t i = 0; i < parallel.nodes.size(); ++i) {
    Context branch_context{context.functions, branches.scope, context.deadline,
                           context.merged_bytes_max};
    running.spawn(run_branch(parallel.nodes[i], input, branch_context, i, branches));
  }
  co_await running.join();
  if (!branches.failure.empty()) co_return std::move(branches.failure);
  Result<Output, StepError> merged = merge(parallel, branches, context.merged_bytes_max);
  if (merged) co_return std::move(*merged);
  branches.failure.push_back(std::move(merged.error()));
  co_return std::move(branches.failure);
}

}  // namespace fnkit::pipeline
