// An exporter, and a receiver on the simulated network that does as the test says.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "server/otlp_exporter.hpp"
#include "unit/http/function_world.hpp"

namespace fnkit::test {

inline std::string answer(int status, std::string_view headers = "", std::string_view body = "{}") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// Each story under several seeds: other cuts of all bytes, other delays, other jitter.
class OtlpWorld : public testing::TestWithParam<uint64_t> {
 protected:
  OtlpWorld() { answer_with(answer(200)); }
  ~OtlpWorld() override {
    stop();
    tasks_.spawn(resolver_.close());
    while (tasks_.running() > 0) world_.turn();
    world_.settle();  // a connection that was given up is accepted late
  }

  void start() {
    exporter_ = std::make_unique<server::OtlpExporter>(
        world_.ring, resolver_, random_,
        server::OtlpEndpoint::parse("http://10.0.0.1:8080").value(),
        observe::Resource{.service_version = "1"});
    testing::internal::CaptureStderr();
    tasks_.spawn(exporter_->run());
  }
  void stop() {
    if (exporter_ == nullptr || stopped_) return;
    stopped_ = true;
    exporter_->stop();
    while (tasks_.running() > 0) world_.turn();
    said_ += testing::internal::GetCapturedStderr();
  }
  void add(size_t count = 1) {
    for (size_t i = 0; i < count; ++i) {
      observe::Span span;
      span.name = "span" + std::to_string(added_++);
      exporter_->add(std::move(span));
    }
  }
  void answer_with(std::string text) {
    world_.answer_by_itself(Duration(0), [this, text](std::string_view, std::string_view name) {
      EXPECT_EQ(name, "v1/traces");
      ++asked_;
      asked_at_ = world_.ring.now();
      return text;
    });
  }
  bool run_until_exported(uint64_t count) {
    return world_.run_until([&] { return exporter_->exported() == count; });
  }
  bool run_until_asked(size_t count) {
    return world_.run_until([&] { return asked_ == count; });
  }
  std::string heard() {
    std::string all;
    for (size_t i = 0; i < world_.accepted(); ++i) all += world_.peer(i).heard();
    return all;
  }
  static size_t count(std::string_view text, std::string_view part) {
    size_t found = 0;
    for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
      ++found;
    }
    return found;
  }
  // What log lines were written until stop().
  const std::string& said() {
    stop();
    return said_;
  }

  FunctionWorld world_{GetParam()};
  Random random_{GetParam()};
  net::Resolver resolver_{world_.ring, net::ResolverOptions()};
  coro::TaskGroup tasks_;
  std::unique_ptr<server::OtlpExporter> exporter_;
  size_t added_ = 0;
  size_t asked_ = 0;
  Instant asked_at_;
  bool stopped_ = false;
  std::string said_;
};

}  // namespace fnkit::test
