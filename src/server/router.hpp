// Which request is for what: the caller's right to ask, then the page or the pipeline.
#pragma once

#include "fnkit/http/message.hpp"
#include "fnkit/server/pages.hpp"
#include "fnkit/server/tokens.hpp"
#include "fnkit/store/snapshot.hpp"

namespace fnkit::server {

// What a request is for.
struct Route {
  enum class To {
    answer,    // nothing more is to be done
    page,      // one of is_observed(): the control thread has it
    pipeline,  // the plan of `entry` is to be run
    function,  // it is passed on
  };
  To to = To::answer;
  http::Response answer;
  const store::Entry* entry = nullptr;  // in the snapshot, with a plan
  std::string_view function;
  std::string_view step_path;   // of the functions' requests: empty, or begins with '/'
  std::string_view step_query;  // empty, or begins with '?'

  static Route answered(http::Response response);
};

// What is not the program's own is a function's, or nobody's.
enum class Others { pass_to_functions, unknown };

// `pipelines` is null while the store has not been reached yet; whether the caller may see details
// is decided here. Views point into the request.
Route route(const http::Request& request, const Tokens& tokens, const store::Snapshot* pipelines,
            Health health, Others others);

}  // namespace fnkit::server
