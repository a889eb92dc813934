// One function for each kind of step; run_node picks the one for a node.
#pragma once

#include "fnkit/pipeline/run.hpp"

namespace fnkit::pipeline {

// `node` and `input` stay until the task has returned.
coro::Task<Outcome> run_node(const Node& node, const Payload& input, Context context);

coro::Task<Outcome> call_function(const Call& call, const Payload& input, Context context);
coro::Task<Outcome> run_sequence(const Sequence& sequence, const Payload& input, Context context);
coro::Task<Outcome> run_parallel(const Parallel& parallel, const Payload& input, Context context);

}  // namespace fnkit::pipeline
