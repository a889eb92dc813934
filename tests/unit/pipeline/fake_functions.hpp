// Functions that answer as they are told and when they are told.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fnkit/coro/event.hpp"
#include "fnkit/coro/task_group.hpp"
#include "fnkit/pipeline/run.hpp"

namespace fnkit::test {

class FakeFunctions final : public pipeline::Functions {
 public:
  struct Answer {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::string content_encoding = {};
    bool reached = true;  // else: `status` and `body` are the reason why there is no answer
  };

  // Those that nothing is said of answer 200 with "<name>(<input>)" as text/plain.
  std::map<std::string, Answer> answers;
  // They answer when released, or when given up.
  std::vector<std::string> held;
  void release(const std::string& function) { gates_.at(function)->set(); }

  // "name(input) content-type content-encoding" of each call, in the order of their starts.
  std::vector<std::string> calls;
  std::vector<std::string> given_up;
  std::vector<Instant> deadlines;

  coro::Task<Result<pipeline::Output, pipeline::StepError>> call(const pipeline::Call& called,
                                                                 const pipeline::Payload& input,
                                                                 Instant deadline,
                                                                 coro::CancelScope& scope) override;

 private:
  std::map<std::string, std::unique_ptr<coro::Event>> gates_;
};

// One run of a pipeline: `config` as it would be stored.
class PipelineRun {
 public:
  PipelineRun(FakeFunctions& functions, const std::string& config, std::string input = "in",
              std::string content_type = "", size_t merged_bytes_max = 1024 * 1024);
  ~PipelineRun();

  coro::CancelScope scope;
  bool done() const { return response_.has_value(); }
  // After done(). "200 text/plain body".
  std::string text() const;
  const http::Response& response() const { return *response_; }
  // Lets everything happen that can.
  void go_on();

  static constexpr Instant kDeadline = Instant(std::chrono::hours(1));

 private:
  coro::Task<void> run(FakeFunctions& functions, size_t merged_bytes_max);

  pipeline::Plan plan_;
  std::string input_;
  std::string content_type_;
  http::HeaderField content_type_field_;
  http::Request request_;
  std::optional<http::Response> response_;
  coro::TaskGroup tasks_;
};

}  // namespace fnkit::test
