#include "unit/pipeline/fake_functions.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "fnkit/coro/frame_pool.hpp"

namespace fnkit::test {

coro::Task<Result<pipeline::Output, pipeline::StepError>> FakeFunctions::call(
    const pipeline::Call& called, const pipeline::Payload& input, Instant deadline,
    coro::CancelScope& scope) {
  const std::string& function = called.function;
  calls.push_back(function + "(" + std::string(input.body.bytes) + ") " +
                  std::string(input.content_type) + " " + std::string(input.content_encoding));
  deadlines.push_back(deadline);
  if (std::find(held.begin(), held.end(), function) != held.end()) {
    auto& gate = gates_[function];
    gate = std::make_unique<coro::Event>();
    coro::CancelHook hook([](void* event) { static_cast<coro::Event*>(event)->set(); }, gate.get());
    scope.add(hook);
    co_await gate->wait();
  }
  if (scope.cancelled()) {
    given_up.push_back(function);
    pipeline::StepError error;
    error.step = function;
    error.detail = "the caller is gone";
    error.cancelled = true;
    co_return error;
  }
  Answer answer{200, "text/plain", function + "(" + std::string(input.body.bytes) + ")"};
  const auto told = answers.find(function);
  if (told != answers.end()) answer = told->second;
  if (!answer.reached) {
    pipeline::StepError error;
    error.step = function;
    error.status = answer.status;
    error.detail = answer.body;
    co_return error;
  }
  // As a real answer: all views point into one storage.
  pipeline::Output output;
  output.status = answer.status;
  Buffer& storage = output.payload.body.storage;
  storage.append(answer.content_type + answer.content_encoding + answer.body);
  const std::string_view all = storage.view();
  output.payload.content_type = all.substr(0, answer.content_type.size());
  output.payload.content_encoding =
      all.substr(answer.content_type.size(), answer.content_encoding.size());
  output.payload.body.bytes = all.substr(all.size() - answer.body.size());
  co_return output;
}

PipelineRun::PipelineRun(FakeFunctions& functions, const std::string& config, std::string input,
                         std::string content_type, size_t merged_bytes_max)
    : input_(std::move(input)), content_type_(std::move(content_type)) {
  Result<pipeline::Plan> plan = pipeline::compile(config);
  EXPECT_TRUE(plan) << config;
  plan_ = std::move(*plan);
  request_.method = "POST";
  request_.body = input_;
  content_type_field_ = {"Content-Type", content_type_};
  if (!content_type_.empty()) request_.headers = {&content_type_field_, 1};
  tasks_.spawn(run(functions, merged_bytes_max));
  go_on();
}

PipelineRun::~PipelineRun() {
  scope.cancel();
  go_on();
  EXPECT_EQ(tasks_.running(), 0U) << "a run has not ended though it was given up";
  response_.reset();
  EXPECT_EQ(coro::frames_alive(), 0U);
  EXPECT_EQ(Buffer::bytes_held_by_thread(), 0U);
}

coro::Task<void> PipelineRun::run(FakeFunctions& functions, size_t merged_bytes_max) {
  const pipeline::Context context{functions, scope, kDeadline, merged_bytes_max};
  pipeline::Ended ended = co_await pipeline::run(plan_, request_, context);
  EXPECT_EQ(ended.why_failed.empty(), ended.response.status < 300) << ended.why_failed;
  response_.emplace(std::move(ended.response));
}

void PipelineRun::go_on() { coro::ReadyQueue::of_thread().run_all(); }

std::string PipelineRun::text() const {
  if (!response_) return "pending";
  return std::to_string(response_->status) + " " + std::string(response_->content_type) + " " +
         std::string(response_->body.bytes);
}

}  // namespace fnkit::test
