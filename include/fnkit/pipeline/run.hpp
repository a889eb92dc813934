// Running a plan: a request in, a response out, whatever happens in between.
#pragma once

#include <string>
#include <vector>

#include "fnkit/base/time.hpp"
#include "fnkit/http/message.hpp"
#include "fnkit/pipeline/plan.hpp"

namespace fnkit::pipeline {

// What flows from step to step. Views point into `body.storage` or, for the caller's input, into
// the request.
struct Payload {
  http::Body body;
  std::string_view content_type;      // empty: not said
  std::string_view content_encoding;  // empty: none
};

// What a step yielded: a payload, and the status it came with.
struct Output {
  int status = 200;
  Payload payload;
};

// One step's failure. Either the function answered with a status outside 200-299, or there was no
// usable answer: then `status` is ours (502, 503, 504, 508) and `detail` says why.
struct StepError {
  std::string step;
  int status = 502;
  bool answered = false;
  http::Body body;         // the function's answer, where it answered
  std::string detail;      // else
  bool cancelled = false;  // it was given up because its result was no longer wanted
};

// Failures in the order in which they became known; at least one.
using Failure = std::vector<StepError>;
using Outcome = Result<Output, Failure>;

// The functions, as steps see them; `server` has the real ones.
struct Functions {
  virtual ~Functions() = default;
  // An answer of any status is an Output. `input` stays until the task has returned. `deadline` is
  // the pipeline's; the step's own may come earlier. Ends soon after `scope` is cancelled.
  virtual coro::Task<Result<Output, StepError>> call(const Call& call, const Payload& input,
                                                     Instant deadline,
                                                     coro::CancelScope& scope) = 0;
};

// What every step of one run needs.
struct Context {
  Functions& functions;
  coro::CancelScope& scope;  // cancelled when the result is no longer wanted
  Instant deadline;          // of the whole pipeline
  size_t merged_bytes_max;   // of a parallel answer
};

// What became of a run: always a response, the last step's answer, the merged answers, or what
// failed, in the shapes of CONTRACT section 3; and why it failed, for a person, where it did.
struct Ended {
  http::Response response;
  std::string why_failed;
};

// Runs `plan` on the request's body. `plan` and `request` stay until the task has returned.
coro::Task<Ended> run(const Plan& plan, const http::Request& request, Context context);

}  // namespace fnkit::pipeline
