#include "pipeline/steps/steps.hpp"

namespace fnkit::pipeline {

coro::Task<Outcome> call_function(const Call& call, const Payload& input, Context context) {
  Result<Output, StepError> answer =
      co_await context.functions.call(call, input, context.deadline, context.scope);
  Failure failure;
  if (!answer) {
    failure.push_back(std::move(answer.error()));
    co_return failure;
  }
  if (answer->status >= 200 && answer->status <= 299) co_return std::move(*answer);
  StepError error;
  error.step = call.function;
  error.status = answer->status;
  error.answered = true;
  error.body = std::move(answer->payload.body);
  failure.push_back(std::move(error));
  co_return failure;
}

}  // namespace fnkit::pipeline
