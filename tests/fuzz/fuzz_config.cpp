// Pipelines as anybody may store them.
#include "fnkit/json/validate.hpp"
#include "fnkit/pipeline/plan.hpp"
#include "fuzz/fuzz.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fnkit;
  const std::string_view text = fuzz::text_of(data, size);
  const Result<pipeline::Plan> plan = pipeline::compile(text);
  if (!plan) {
    fuzz::require(!plan.error().message.empty(), "refused without a reason");
    return 0;
  }
  fuzz::require(json::is_valid(text), "a pipeline that is no JSON");
  fuzz::require(text.size() <= pipeline::kConfigBytesMax, "a pipeline that is too large");
  fuzz::require(pipeline::step_names(*plan).size() <= pipeline::kStepsMax, "too many steps");
  for (const std::string& step : pipeline::step_names(*plan)) {
    fuzz::require(static_cast<bool>(pipeline::check_step_name(step)), "a step of no name");
  }
  const Result<pipeline::Plan> again = pipeline::compile(text);
  fuzz::require(again && pipeline::step_names(*again) == pipeline::step_names(*plan),
                "compiled twice it is another pipeline");
  return 0;
}
