// Failures as the caller sees them: CONTRACT section 3.
#pragma once

#include "fnkit/pipeline/run.hpp"

namespace fnkit::pipeline {

// {"error":"Step failed",…} with the step's status.
http::Response sequential_failure(const Failure& failure);
// 502 {"error":"Parallel execution failed","details":…,"failures":[…]}.
http::Response parallel_failure(const Failure& failure);

}  // namespace fnkit::pipeline
