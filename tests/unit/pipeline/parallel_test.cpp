// Parallel pipelines: CONTRACT section 3.
#include <gtest/gtest.h>

#include "fnkit/json/value.hpp"
#include "unit/pipeline/fake_functions.hpp"

namespace fnkit {
namespace {

using test::FakeFunctions;
using test::PipelineRun;
using Lines = std::vector<std::string>;

std::string config_of(const std::string& steps) {
  return R"({"mode":"parallel","steps":[)" + steps + "]}";
}

// The value that an answer becomes.
std::string value_of(FakeFunctions::Answer answer) {
  FakeFunctions functions;
  functions.answers["a"] = std::move(answer);
  const std::string text = PipelineRun(functions, config_of(R"("a")")).text();
  constexpr std::string_view kBefore = "200 application/json {\"a\":";
  EXPECT_TRUE(text.starts_with(kBefore) && text.ends_with("}")) << text;
  return text.substr(kBefore.size(), text.size() - kBefore.size() - 1);
}

TEST(ParallelTest, AllStartAtOnceWithTheCallersInput) {
  FakeFunctions functions;
  functions.held = {"a", "b", "c"};
  PipelineRun run(functions, config_of(R"("a","b","c")"), "in", "text/x");
  EXPECT_EQ(functions.calls, (Lines{"a(in) text/x ", "b(in) text/x ", "c(in) text/x "}));
  EXPECT_FALSE(run.done());
  for (const char* name : {"c", "a"}) functions.release(name);
  run.go_on();
  EXPECT_FALSE(run.done());
  functions.release("b");
  run.go_on();
  EXPECT_EQ(run.text(), R"x(200 application/json {"a":"a(in)","b":"b(in)","c":"c(in)"})x");
}

TEST(ParallelTest, JsonIsEmbeddedByteForByte) {
  for (const std::string json : {"12345678901234567890", "1.0", "-0.0", "1e400", "null", "\"x\"",
                                 " {\"b\" : 1.0,\n \"b\":2, \"\\u0041\":[ ]} "}) {
    EXPECT_EQ(value_of({200, "application/json", json}), json);
  }
}

TEST(ParallelTest, WhichContentTypesAreJson) {
  for (const char* type :
       {"application/json", "Application/JSON", "application/json; charset=utf-8",
        "application/json;charset=utf-8", "application/problem+json", "application/x+json ; q=1"}) {
    EXPECT_EQ(value_of({200, type, "[1]"}), "[1]") << type;
  }
  for (const char* type : {"text/plain", "", "text/json", "application/jsonp", "application/+json",
                           "application/json-seq", "text/x+json", "xapplication/json"}) {
    EXPECT_EQ(value_of({200, type, "[1]"}), "\"[1]\"") << type;
  }
}

TEST(ParallelTest, WhatIsNoJsonBecomesAStringOfItsText) {
  EXPECT_EQ(value_of({200, "application/json", "{broken"}), "\"{broken\"");
  EXPECT_EQ(value_of({200, "application/json", ""}), "\"\"");
  EXPECT_EQ(value_of({200, "application/json", "1 2"}), "\"1 2\"");
  EXPECT_EQ(value_of({204, "", ""}), "\"\"");
  EXPECT_EQ(value_of({200, "text/plain", "say \"hi\"\\\n"}), R"("say \"hi\"\\\n")");
  EXPECT_EQ(value_of({200, "text/plain", std::string("\0\xff", 2)}), "\"\\u0000\xef\xbf\xbd\"");
  EXPECT_EQ(value_of({200, "application/json", "\"\xff\""}), "\"\\\"\xef\xbf\xbd\\\"\"");
}

TEST(ParallelTest, KeysStandInTheOrderOfSteps) {
  FakeFunctions functions;
  functions.answers["z"] = {200, "application/json", "1"};
  functions.answers["a"] = {200, "application/json", "2"};
  EXPECT_EQ(PipelineRun(functions, config_of(R"("z","a")")).text(),
            R"(200 application/json {"z":1,"a":2})");
}

// As an object literal of JavaScript that is assigned to: the reference.
TEST(ParallelTest, ANameThatStandsTwiceIsCalledTwiceAndIsOneKey) {
  FakeFunctions functions;
  EXPECT_EQ(PipelineRun(functions, config_of(R"("a","b","a")")).text(),
            R"x(200 application/json {"a":"a(in)","b":"b(in)"})x");
  EXPECT_EQ(functions.calls.size(), 3U);
}

TEST(ParallelTest, AFailureEndsItAtOnceAndTheOthersAreGivenUp) {
  FakeFunctions functions;
  functions.held = {"a", "bad", "c"};
  functions.answers["bad"] = {500, "text/plain", "say \"no\""};
  PipelineRun run(functions, config_of(R"("a","bad","c")"));
  functions.release("bad");
  run.go_on();
  EXPECT_EQ(run.text(),
            R"(502 application/json {"error":"Parallel execution failed",)"
            R"("details":"{\"step\":\"bad\",\"status\":500,\"body\":\"say \\\"no\\\"\"}",)"
            R"("failures":[{"step":"bad","status":500,"body":"say \"no\""}]})");
  EXPECT_EQ(functions.given_up, (Lines{"a", "c"}));
}

TEST(ParallelTest, DetailsIsJsonTextOfTheFailureThatBecameKnownFirst) {
  FakeFunctions functions;
  functions.held = {"a", "b"};
  functions.answers["a"] = {404, "text/plain", "a"};
  functions.answers["b"] = {504, "", "no complete answer in time", "", false};
  PipelineRun run(functions, config_of(R"("a","b")"));
  functions.release("b");
  functions.release("a");
  run.go_on();
  Result<json::Value> answer = json::parse(run.response().body.bytes, 8);
  ASSERT_TRUE(answer) << run.text();
  EXPECT_EQ(run.response().status, 502);
  EXPECT_EQ(*answer->find("details")->as_string(),
            R"({"step":"b","status":504,"body":"no complete answer in time"})");
  EXPECT_EQ(*answer->find("failures")->elements()[0].find("step")->as_string(), "b");
}

TEST(ParallelTest, ACompressedAnswerIsAFailureAndKnownAtOnce) {
  FakeFunctions functions;
  functions.held = {"slow"};
  functions.answers["zipped"] = {200, "application/json", "\x1f\x8b", "gzip"};
  const PipelineRun run(functions, config_of(R"("slow","zipped")"));
  ASSERT_TRUE(run.done()) << "it waits for the others";
  EXPECT_EQ(run.response().status, 502);
  EXPECT_NE(run.text().find(R"("failures":[{"step":"zipped","status":502,"body":)"),
            std::string::npos)
      << run.text();
  EXPECT_EQ(functions.given_up, Lines{"slow"});
}

TEST(ParallelTest, AnAnswerThatSaysItIsNotCompressedIsFine) {
  EXPECT_EQ(value_of({200, "application/json", "1", "identity"}), "1");
}

TEST(ParallelTest, TheMergedAnswerHasALimit) {
  FakeFunctions functions;
  functions.answers["a"] = {200, "application/json", "12345"};
  const std::string config = config_of(R"("a","b")");
  const std::string whole = R"x({"a":12345,"b":"b(in)"})x";
  EXPECT_EQ(PipelineRun(functions, config, "in", "", whole.size()).text(),
            "200 application/json " + whole);
  const PipelineRun over(functions, config, "in", "", whole.size() - 1);
  EXPECT_EQ(over.response().status, 502);
  EXPECT_NE(over.text().find("larger than " + std::to_string(whole.size() - 1) + " bytes"),
            std::string::npos)
      << over.text();
}

TEST(ParallelTest, GivenUpFromOutsideAllAreGivenUp) {
  FakeFunctions functions;
  functions.held = {"a", "b"};
  PipelineRun run(functions, config_of(R"("a","b")"));
  run.scope.cancel();
  run.go_on();
  EXPECT_TRUE(run.done());
  EXPECT_EQ(functions.given_up, (Lines{"a", "b"}));
}

}  // namespace
}  // namespace fnkit
