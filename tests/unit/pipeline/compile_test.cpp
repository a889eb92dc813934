// From a stored config to a plan: CONTRACT sections 4 and 5.
#include <gtest/gtest.h>

#include "fnkit/pipeline/plan.hpp"

namespace fnkit {
namespace {

using pipeline::compile;
using pipeline::Plan;
using Lines = std::vector<std::string>;

std::string error_of(std::string_view config) {
  Result<Plan> plan = compile(config);
  return plan ? "it is valid" : plan.error().message;
}

void expect_error(std::string_view config, std::string_view part) {
  EXPECT_NE(error_of(config).find(part), std::string::npos) << config << "\n" << error_of(config);
}

std::string many_steps(size_t count) {
  std::string config = R"({"steps":[)";
  for (size_t i = 0; i < count; ++i) config += (i == 0 ? "\"f" : ",\"f") + std::to_string(i) + "\"";
  return config + "]}";
}

TEST(CompileTest, AConfigOfStringsIsComplete) {
  Result<Plan> plan = compile(R"({"mode":"parallel","steps":["b","a"]})");
  ASSERT_TRUE(plan);
  EXPECT_EQ(pipeline::mode_of(*plan), "parallel");
  EXPECT_EQ(pipeline::step_names(*plan), (Lines{"b", "a"}));
  EXPECT_TRUE(plan->unknown_keys.empty());
}

TEST(CompileTest, AMissingModeIsSequential) {
  Result<Plan> plan = compile(R"( {"steps" : [ "a" ] }
)");
  ASSERT_TRUE(plan);
  EXPECT_EQ(pipeline::mode_of(*plan), "sequential");
}

TEST(CompileTest, NoStepsAreAPlanButMissingOnesAreNot) {
  EXPECT_TRUE(compile(R"({"steps":[]})"));
  expect_error(R"({"mode":"parallel"})", "\"steps\" is missing");
}

TEST(CompileTest, UnknownKeysAreKept) {
  Result<Plan> plan = compile(R"({"stesp":1,"steps":["a"],"x":{"deep":[]},"mode":"sequential"})");
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->unknown_keys, (Lines{"stesp", "x"}));
}

TEST(CompileTest, AStepMaySayMoreOfItsCalls) {
  Result<Plan> plan = compile(R"({"steps":["a",{"fn":"b"},
      {"fn":"c","pipelining":false,"idempotent":true,"x":1}]})");
  ASSERT_TRUE(plan);
  EXPECT_EQ(pipeline::step_names(*plan), (Lines{"a", "b", "c"}));
  EXPECT_EQ(plan->unknown_keys, (Lines{"x"}));
  const auto& nodes = std::get<pipeline::Sequence>(plan->root.kind).nodes;
  for (size_t i = 0; i < 3; ++i) {
    const auto& call = std::get<pipeline::Call>(nodes[i].kind);
    EXPECT_EQ(call.may_share, i != 2) << i;
    EXPECT_EQ(call.idempotent, i == 2) << i;
  }
}

TEST(CompileTest, TheMessageNamesWhatIsWrong) {
  expect_error("", "JSON");
  expect_error("not json", "line 1, column 1");
  expect_error("{\"steps\":[\"a\",]}", "line 1, column 15");
  expect_error("\xef\xbb\xbf{\"steps\":[]}", "JSON");
  expect_error(R"([])", "an array");
  expect_error(R"("steps")", "a string");
  expect_error(R"({"mode":"serial","steps":[]})", "'serial'");
  expect_error(R"({"mode":"Parallel","steps":[]})", "'Parallel'");
  expect_error(R"({"mode":null,"steps":[]})", "null");
  expect_error(R"({"mode":1,"steps":[]})", "a number");
  expect_error(R"({"steps":"a,b"})", "a string");
  expect_error(R"({"steps":{"0":"a"}})", "an object");
  expect_error(R"({"steps":["a",7]})", "step 2 is a number");
  expect_error(R"({"steps":[null]})", "step 1 is null");
  expect_error(R"({"steps":["a",["b"]]})", "step 2 is an array");
  expect_error(R"({"steps":["a",{}]})", "step 2: \"fn\", the function's name, is missing");
  expect_error(R"({"steps":[{"fn":7}]})", "step 1: \"fn\" is a function's name, not a number");
  expect_error(R"({"steps":[{"fn":"a","pipelining":"no"}]})",
               "step 1: \"pipelining\" is true or false, not a string");
  expect_error(R"({"steps":[{"fn":"a","idempotent":1}]})", "\"idempotent\" is true or false");
  expect_error(R"({"steps":[{"fn":"127.0.0.1"}]})", "'127.0.0.1' spells an IP address");
  expect_error(R"({"steps":["a","evil.com/x?"]})", "'evil.com/x?'");
  expect_error(R"({"steps":["a","127.0.0.1"]})", "'127.0.0.1' spells an IP address");
  expect_error(R"({"steps":["a\r\nX: y"]})", "step");
  expect_error(R"({"steps":[""]})", "empty");
}

TEST(CompileTest, ThereAreLimits) {
  EXPECT_TRUE(compile(many_steps(64)));
  expect_error(many_steps(65), "65 steps are more than 64");
  const std::string config = R"({"steps":["a"]})";
  EXPECT_TRUE(compile(config + std::string(64 * 1024 - config.size(), ' ')));
  expect_error(config + std::string(64 * 1024 + 1 - config.size(), ' '), "65537 bytes");
  const auto nested = [](size_t depth) {  // the object itself is one
    return R"({"steps":[],"x":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
  };
  EXPECT_TRUE(compile(nested(16)));
  EXPECT_FALSE(compile(nested(17)));
}

// The last one counts, as in JSON.parse.
TEST(CompileTest, OfADuplicateKeyTheLastCounts) {
  Result<Plan> plan = compile(R"({"steps":["a"],"mode":"x","steps":["b"],"mode":"parallel"})");
  ASSERT_TRUE(plan);
  EXPECT_EQ(pipeline::step_names(*plan), Lines{"b"});
  EXPECT_EQ(pipeline::mode_of(*plan), "parallel");
}

}  // namespace
}  // namespace fnkit
