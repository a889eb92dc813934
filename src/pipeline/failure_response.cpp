#include "pipeline/failure_response.hpp"

#include "fnkit/json/quote.hpp"

namespace fnkit::pipeline {
namespace {

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out += ",\"";
  out += name;
  out += "\":";
  json::append_quoted(out, text);
}

// {"step":…,"status":…,"body":…}: the reason stands for a body that never came.
std::string as_object(const StepError& error) {
  std::string out = R"({"step":)";
  json::append_quoted(out, error.step);
  out += R"(,"status":)" + std::to_string(error.status);
  append_member(out, "body", error.answered ? error.body.bytes : std::string_view(error.detail));
  out += '}';
  return out;
}

}  // namespace

http::Response sequential_failure(const Failure& failure) {
  const StepError& error = failure.front();
  std::string out = R"({"error":"Step failed")";
  append_member(out, "step", error.step);
  if (error.answered) {
    out += R"(,"status":)" + std::to_string(error.status);
    append_member(out, "body", error.body.bytes);
  } else {
    append_member(out, "detail", error.detail);
  }
  out += '}';
  http::Response response = http::json_response(error.status, out);
  if (error.status == 503 && !error.answered) response.extra_headers = http::kRetryAfter;
  return response;
}

http::Response parallel_failure(const Failure& failure) {
  std::string out = R"({"error":"Parallel execution failed")";
  append_member(out, "details", as_object(failure.front()));
  out += R"(,"failures":[)";
  for (const StepError& error : failure) {
    if (&error != failure.data()) out += ',';
    out += as_object(error);
  }
  out += "]}";
  return http::json_response(502, out);
}

}  // namespace fnkit::pipeline
