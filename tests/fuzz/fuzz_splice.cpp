// Two answers of functions merged as a parallel pipeline merges them. The first byte says which of
// them calls itself JSON, the second where the first answer ends.
#include "fnkit/coro/task_group.hpp"
#include "fnkit/json/quote.hpp"
#include "fnkit/json/validate.hpp"
#include "fnkit/json/value.hpp"
#include "fnkit/pipeline/run.hpp"
#include "fuzz/fuzz.hpp"

namespace fnkit::fuzz {
namespace {

struct Answer {
  std::string_view content_type;
  std::string_view text;
};

struct Functions final : pipeline::Functions {
  Functions(const Answer& a, const Answer& b) : of_a(a), of_b(b) {}
  coro::Task<Result<pipeline::Output, pipeline::StepError>> call(const pipeline::Call& called,
                                                                 const pipeline::Payload&, Instant,
                                                                 coro::CancelScope&) override {
    const Answer& answer = called.function == "a" ? of_a : of_b;
    pipeline::Output output;
    output.payload.content_type = answer.content_type;
    output.payload.body.bytes = answer.text;
    co_return output;
  }
  const Answer& of_a;
  const Answer& of_b;
};

coro::Task<void> run(const pipeline::Plan& plan, Functions& functions, http::Response& response) {
  const http::Request request;
  coro::CancelScope scope;
  const pipeline::Context context{functions, scope, Instant::max(), size_t{1} << 20};
  pipeline::Ended ended = co_await pipeline::run(plan, request, context);
  response = std::move(ended.response);
}

http::Response merged(const Answer& a, const Answer& b) {
  static const pipeline::Plan plan = *pipeline::compile(R"({"mode":"parallel","steps":["a","b"]})");
  Functions functions(a, b);
  http::Response response;
  coro::TaskGroup tasks;
  tasks.spawn(run(plan, functions, response));
  coro::ReadyQueue::of_thread().run_all();
  require(tasks.running() == 0, "the run has no end");
  return response;
}

// CONTRACT section 3: JSON as it stands, everything else as a string.
std::string value_of(const Answer& answer) {
  if (answer.content_type == "application/json" && json::is_valid(answer.text)) {
    return std::string(answer.text);
  }
  std::string quoted;
  json::append_quoted(quoted, answer.text);
  return quoted;
}

void read_back(std::string_view text, bool too_deep) {
  const Result<json::Value> read = json::parse(text, json::kDepthMax);
  require(read || too_deep, "the merged answer is no JSON");
  require(!read || (read->members().size() == 2 && read->members()[0].key == "a" &&
                    read->members()[1].key == "b"),
          "an answer has added to the object or taken from it");
}

}  // namespace
}  // namespace fnkit::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace fnkit;
  if (size < 2) return 0;
  const auto type_of = [&](int bit) {
    return (data[0] & bit) != 0 ? "application/json" : "text/plain";
  };
  const std::string_view text = fuzz::text_of(data + 2, size - 2);
  const size_t cut = text.size() * data[1] / 255;
  const fuzz::Answer a{type_of(1), text.substr(0, cut)};
  const fuzz::Answer b{type_of(2), text.substr(cut)};
  for (const std::string_view each : {a.text, b.text}) {
    fuzz::require(json::is_valid(each) == bool(json::parse(each, json::kDepthMax)),
                  "is_valid() and parse() do not agree");
  }
  const http::Response response = fuzz::merged(a, b);
  const std::string first = fuzz::value_of(a);
  const std::string second = fuzz::value_of(b);
  fuzz::require(response.status == 200 && response.content_type == "application/json", "no answer");
  fuzz::require(response.body.bytes == R"({"a":)" + first + R"(,"b":)" + second + "}",
                "the merged answer has other bytes");
  const bool one_deeper = json::is_valid("[" + first + "]") && json::is_valid("[" + second + "]");
  fuzz::read_back(response.body.bytes, !one_deeper);
  return 0;
}
