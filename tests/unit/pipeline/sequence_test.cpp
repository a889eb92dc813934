// Sequential pipelines: CONTRACT section 3.
#include <gtest/gtest.h>

#include "unit/pipeline/fake_functions.hpp"

namespace fnkit {
namespace {

using test::FakeFunctions;
using test::PipelineRun;
using Lines = std::vector<std::string>;

TEST(SequenceTest, EachStepGetsWhatTheOneBeforeItGaveByteForByte) {
  FakeFunctions functions;
  const std::string odd = std::string("{\"a\": 1.0,\n\"b\":12345678901234567890}\0\xff", 38);
  functions.answers["a"] = {201, "application/x; charset=odd", odd};
  const PipelineRun run(functions, R"({"steps":["a","b"]})", "in", "text/x");
  EXPECT_EQ(functions.calls,
            (Lines{"a(in) text/x ", "b(" + odd + ") application/x; charset=odd "}));
  EXPECT_EQ(run.text(), "200 text/plain b(" + odd + ")");
}

TEST(SequenceTest, TheAnswerIsTheLastStepsStatusTypeAndBody) {
  FakeFunctions functions;
  functions.answers["a"] = {202, "application/json", "1.0"};
  functions.answers["made"] = {201, "application/vnd.x+json", "[]"};
  functions.answers["none"] = {204, "", ""};
  functions.answers["empty"] = {200, "", ""};
  EXPECT_EQ(PipelineRun(functions, R"({"steps":["a","made"]})").text(),
            "201 application/vnd.x+json []");
  EXPECT_EQ(PipelineRun(functions, R"({"steps":["a","none"]})").text(), "204  ");
  EXPECT_EQ(PipelineRun(functions, R"({"steps":["a","empty"]})").text(), "200  ");
  EXPECT_EQ(PipelineRun(functions, R"({"steps":["none","b"]})").text(), "200 text/plain b()");
}

TEST(SequenceTest, ACompressedAnswerIsGivenToTheNextStepWithItsEncoding) {
  FakeFunctions functions;
  functions.answers["a"] = {200, "text/plain", "\x1f\x8b", "gzip"};
  const PipelineRun through(functions, R"({"steps":["a","b"]})");
  EXPECT_EQ(functions.calls.back(), "b(\x1f\x8b) text/plain gzip");
  EXPECT_EQ(through.response().extra_headers, "");
}

TEST(SequenceTest, ACompressedLastAnswerIsGivenToTheCallerWithItsEncoding) {
  FakeFunctions functions;
  functions.answers["a"] = {200, "text/plain", "\x1f\x8b", "gzip"};
  const PipelineRun last(functions, R"({"steps":["b","a"]})");
  EXPECT_EQ(last.text(), "200 text/plain \x1f\x8b");
  EXPECT_EQ(last.response().extra_headers, "content-encoding: gzip\r\n");
}

TEST(SequenceTest, TheFirstFailureStopsItAndIsTold) {
  FakeFunctions functions;
  functions.answers["b"] = {422, "text/html", "<b>\"no\"\n\xff</b>"};
  const PipelineRun run(functions, R"({"steps":["a","b","c"]})");
  EXPECT_EQ(functions.calls, (Lines{"a(in)  ", "b(a(in)) text/plain "}));
  EXPECT_EQ(run.text(),
            "422 application/json {\"error\":\"Step failed\",\"step\":\"b\",\"status\":422,"
            "\"body\":\"<b>\\\"no\\\"\\n\xef\xbf\xbd</b>\"}");
}

TEST(SequenceTest, StatusesOutside200To299AreFailures) {
  for (const int status : {300, 302, 304, 400, 404, 500, 503, 599}) {
    FakeFunctions functions;
    functions.answers["a"] = {status, "text/plain", "x"};
    const PipelineRun run(functions, R"({"steps":["a","b"]})");
    EXPECT_EQ(run.text(), std::to_string(status) +
                              " application/json {\"error\":\"Step failed\",\"step\":\"a\","
                              "\"status\":" +
                              std::to_string(status) + ",\"body\":\"x\"}");
    EXPECT_EQ(functions.calls.size(), 1U);
    EXPECT_EQ(run.response().extra_headers, "") << "a function's 503 is its own";
  }
  for (const int status : {200, 299}) {
    FakeFunctions functions;
    functions.answers["a"] = {status, "text/plain", "x"};
    const PipelineRun run(functions, R"({"steps":["a","b"]})");
    EXPECT_EQ(run.text(), "200 text/plain b(x)");
  }
}

TEST(SequenceTest, AStepWithoutAnAnswerIs502Or504AndSaysWhy) {
  for (const int status : {502, 504}) {
    FakeFunctions functions;
    functions.answers["a"] = {status, "", "connect to 10.0.0.1:80: \"refused\"", "", false};
    const PipelineRun run(functions, R"({"steps":["a","b"]})");
    EXPECT_EQ(run.text(), std::to_string(status) +
                              " application/json {\"error\":\"Step failed\",\"step\":\"a\","
                              "\"detail\":\"connect to 10.0.0.1:80: \\\"refused\\\"\"}");
  }
  FakeFunctions functions;
  functions.answers["a"] = {503, "", "too many calls wait", "", false};
  const PipelineRun run(functions, R"({"steps":["a"]})");
  EXPECT_EQ(run.response().status, 503);
  EXPECT_EQ(run.response().extra_headers, "retry-after: 1\r\n");
}

TEST(SequenceTest, WithoutStepsItIsTheCallersMistake) {
  FakeFunctions functions;
  const std::string expected = "400 application/json {\"error\":\"Pipeline has no steps\"}";
  EXPECT_EQ(PipelineRun(functions, R"({"steps":[]})").text(), expected);
  EXPECT_EQ(PipelineRun(functions, R"({"mode":"parallel","steps":[]})").text(), expected);
}

TEST(SequenceTest, EveryStepGetsThePipelinesDeadline) {
  FakeFunctions functions;
  const PipelineRun run(functions, R"({"steps":["a","b"]})");
  EXPECT_EQ(functions.deadlines,
            (std::vector<Instant>{PipelineRun::kDeadline, PipelineRun::kDeadline}));
}

TEST(SequenceTest, GivenUpFromOutsideItMakesNoLaterCalls) {
  FakeFunctions functions;
  functions.held = {"b"};
  PipelineRun run(functions, R"({"steps":["a","b","c"]})");
  EXPECT_FALSE(run.done());
  run.scope.cancel();
  run.go_on();
  EXPECT_TRUE(run.done());
  EXPECT_EQ(functions.given_up, Lines{"b"});
  EXPECT_EQ(functions.calls.size(), 2U);
}

}  // namespace
}  // namespace fnkit
