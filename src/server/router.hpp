// Which request is for what: the caller's right to ask, then the page or the pipeline.
#pragma once

#include "fnkit/http/message.hpp"
#include "fnkit/server/pages.hpp"
#include "fnkit/server/tokens.hpp"
#include "fnkit/store/snapshot.hpp"

namespace fnkit::server {

// An answer, or a page that the control thread has, or a pipeline to run, or a function to pass to.
struct Route {
  std::optional<http::Response> answer;
  bool observed = false;                // one of the pages of is_observed()
  const store::Entry* entry = nullptr;  // in the snapshot; its plan is to be run
  std::string_view function;            // whose request it is; empty: nobody's
  std::string_view step_path;           // the suffix: empty, or begins with '/'
  std::string_view step_query;          // empty, or begins with '?'
};

// What is not the program's own is a function's, or nobody's.
enum class Others { pass_to_functions, unknown };

// `pipelines` is null while the store has not been reached yet; whether the caller may see details
// is decided here. Views point into the request.
Route route(const http::Request& request, const Tokens& tokens, const store::Snapshot* pipelines,
            Health health, Others others);

}  // namespace fnkit::server
