#include "pipeline/steps/steps.hpp"

namespace fnkit::pipeline {

coro::Task<Outcome> run_sequence(const Sequence& sequence, const Payload& input, Context context) {
  Output output;
  const Payload* next_input = &input;
  for (const Node& node : sequence.nodes) {
    Outcome outcome = co_await run_node(node, *next_input, context);
    if (!outcome) co_return std::move(outcome.error());
    output = std::move(*outcome);
    next_input = &output.payload;
  }
  co_return output;
}

}  // namespace fnkit::pipeline
