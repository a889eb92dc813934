// One core's recorder, what is gathered from it, and the shapes that leave.
#include "fnkit/observe/recorder.hpp"

#include <gtest/gtest.h>

#include "fnkit/observe/batch.hpp"

namespace fnkit {
namespace {

using namespace std::chrono_literals;
using observe::Cause;
using observe::Recorder;
using observe::RecorderOptions;

using observe::StepNote;
using observe::TraceLog;
using observe::WallClock;

constexpr Instant kStart{1000s};
const WallClock kClock(1'700'000'000s - 1000s);  // kStart is 2023-11-14T22:13:20Z

class RecorderTest : public testing::Test {
 protected:
  observe::Run::Head head(std::string_view name = "order", bool sampled = false) const {
    observe::Run::Head head{kStart,        {},     7,    0,   sampled, "request-1",
                            "127.0.0.1:9", "POST", name, "/x"};
    head.trace_id.fill(0xaaaaaaaaaaaaaaaa);
    return head;
  }

  // A run of step a (2 ms) and, unless it has failed, of step b.
  void run(int status_of_a, std::string_view body = "ok") {
    observe::Run run(recorder_, pipeline("order"), head());
    StepNote& a = run.begin(step("a"), "POST", kStart, 11);
    run.answered(a, kStart + 2ms, status_of_a, body);
    const bool good = status_of_a == 200;
    if (good) run.answered(run.begin(step("b"), "POST", kStart + 2ms, 12), kStart + 5ms, 200, "b");
    run.finish({kStart + (good ? 5ms : 2ms), status_of_a, false, body,
                good ? "" : "a: answered " + std::to_string(status_of_a)});
  }

  observe::StepSeries& step(std::string_view name) { return recorder_.series().steps.of(name); }
  observe::PipelineSeries& pipeline(std::string_view name) {
    return recorder_.series().pipelines.of(name);
  }
  std::vector<std::string> traces() {
    Recorder* const cores[] = {&recorder_};
    log_.collect(cores);
    return log_.newest(1000, kClock);
  }
  uint64_t taken_from(observe::RecordRing& ring) {
    std::vector<observe::Record> records;
    return ring.take(records, 1000);
  }

  Recorder recorder_{RecorderOptions{true, true, true, true}};
  TraceLog log_;
};

TEST_F(RecorderTest, ARunIsATraceForEachStepAndOneForItself) {
  run(200, "{\"a\":1}");
  const std::string id(32, 'a');
  const std::vector<std::string> expected = {
      R"({"timestamp":"2023-11-14T22:13:20.005Z","method":"POST","path":"/orchestrate/order/x",)"
      R"("container":"orchestrator","status":200,"latency_ms":5,"preview":"{\"a\":1}",)"
      R"("trace_id":")" +
          id + "\"}",
      R"({"timestamp":"2023-11-14T22:13:20.005Z","method":"POST","path":"/b/x",)"
      R"("container":"b","status":200,"latency_ms":3,"preview":"b","trace_id":")" +
          id + "\"}",
      R"({"timestamp":"2023-11-14T22:13:20.002Z","method":"POST","path":"/a/x",)"
      R"("container":"a","status":200,"latency_ms":2,"preview":"{\"a\":1}","trace_id":")" +
          id + "\"}"};
  EXPECT_EQ(traces(), expected);
}

TEST_F(RecorderTest, AFailedStepSaysWhy) {
  {
    observe::Run run(recorder_, pipeline("order"), head());
    StepNote& a = run.begin(step("a"), "POST", kStart, 11);
    run.not_answered(a, kStart + 1ms, Cause::connect, 502, "connect to a:8080: refused");
    run.finish({kStart + 1ms, 502, false, "{}", "a: connect to a:8080: refused"});
  }
  const std::vector<std::string> found = traces();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(found[1].find(R"("status":502,"latency_ms":1,"preview":"connect to a:8080: refused")"),
            std::string::npos)
      << found[1];
  EXPECT_NE(found[1].find(R"("error":"connect to a:8080: refused"})"), std::string::npos);
  EXPECT_NE(found[0].find(R"("error":"a: connect to a:8080: refused"})"), std::string::npos);
}

TEST_F(RecorderTest, APreviewIsOneLineOf120CharactersAtMost) {
  const auto preview = [this](const std::string& body) {
    run(500, body);
    const std::string trace = traces()[1];
    const size_t from = trace.find("preview\":\"") + 10;
    return trace.substr(from, trace.find("\",\"trace_id") - from);
  };
  EXPECT_EQ(preview(" a\nb\r\nc \n"), "a b  c");
  EXPECT_EQ(preview(std::string(120, 'x')), std::string(120, 'x'));
  EXPECT_EQ(preview(std::string(121, 'x')), std::string(119, 'x') + "…");
  std::string accents;
  for (int i = 0; i < 100; ++i) accents += "é";
  EXPECT_EQ(preview(accents), accents.substr(0, 118) + "…");
  EXPECT_EQ(preview("x" + accents), "x" + accents.substr(0, 118) + "…") << "no half of an é";
}

TEST_F(RecorderTest, CountersAreByOutcome) {
  run(200);
  run(200);
  run(503);
  run(404);
  observe::Totals totals;
  totals.add(recorder_.series());
  EXPECT_EQ(totals.steps["a"].calls(), 4U);
  EXPECT_EQ(totals.steps["a"].failures(), 2U);
  EXPECT_EQ(totals.steps["a"].of(Cause::status), 2U);
  EXPECT_EQ(totals.steps["b"].calls(), 2U);
  EXPECT_EQ(totals.pipelines["order"].requests(), 4U);
  EXPECT_EQ(totals.pipelines["order"].failed, 2U);
  EXPECT_EQ(totals.pipelines["order"].in_progress, 0U);
  EXPECT_EQ(totals.pipelines["order"].latency.count(), 4U);
  EXPECT_EQ(recorder_.series().requests.get(), 4U);
}

TEST_F(RecorderTest, ACallerWhoLeftIsNoFailure) {
  {
    observe::Run run(recorder_, pipeline("order"), head());
    StepNote& a = run.begin(step("a"), "POST", kStart, 11);
    EXPECT_EQ(recorder_.series().in_progress.get(), 1U);
    run.not_answered(a, kStart + 1ms, Cause::cancelled, 502, "the caller is gone");
    run.finish({kStart + 1ms, 502, true, "", "a: the caller is gone"});
  }
  observe::Totals totals;
  totals.add(recorder_.series());
  EXPECT_EQ(totals.steps["a"].calls(), 0U);
  EXPECT_EQ(totals.steps["a"].of(Cause::cancelled), 1U);
  EXPECT_EQ(totals.pipelines["order"].requests(), 0U);
  EXPECT_EQ(totals.pipelines["order"].cancelled, 1U);
  EXPECT_EQ(taken_from(recorder_.failures()), 0U);
  EXPECT_NE(traces()[0].find(R"("status":499)"), std::string::npos);
}

TEST_F(RecorderTest, AllSpansOfAFailedRunAreExportedAndElseThoseThatAreSampled) {
  run(200);
  EXPECT_EQ(taken_from(recorder_.spans()), 0U);
  run(500);
  EXPECT_EQ(taken_from(recorder_.spans()), 2U);
  {
    observe::Run run(recorder_, pipeline("order"), head("order", true));
    run.answered(run.begin(step("a"), "POST", kStart, 1), kStart, 200, "");
    run.answered(run.begin(step("b"), "POST", kStart, 2), kStart, 200, "");
    run.finish({kStart, 200, false, "", ""});
  }
  EXPECT_EQ(taken_from(recorder_.spans()), 3U);
}

TEST_F(RecorderTest, ServerTimingNamesEachStep) {
  observe::Run run(recorder_, pipeline("order"), head());
  run.answered(run.begin(step("a"), "POST", kStart, 1), kStart + 1234567ns, 200, "");
  run.not_answered(run.begin(step("b"), "POST", kStart + 2ms, 2), kStart + 3ms, Cause::timeout, 504,
                   "late");
  std::string text;
  run.append_server_timing(text, kStart + 3ms);
  EXPECT_EQ(text, R"(a;dur=1.235, b;dur=1.000;desc="timeout", total;dur=3.000)");
}

TEST_F(RecorderTest, OffMeansCountersOnly) {
  Recorder quiet(RecorderOptions{false, true, false, false});
  {
    observe::Run run(quiet, quiet.series().pipelines.of("p"), head("p"));
    run.answered(run.begin(quiet.series().steps.of("a"), "GET", kStart, 1), kStart, 500, "x");
    run.finish({kStart, 500, false, "x", "why"});
  }
  EXPECT_EQ(taken_from(quiet.recent()), 0U);
  EXPECT_EQ(taken_from(quiet.failures()), 0U);
  EXPECT_EQ(quiet.series().pipelines.of("p").answered[5].get(), 1U);
}

TEST_F(RecorderTest, WhatDoesNotFitIsCounted) {
  for (int i = 0; i < 2000; ++i) run(500);  // two traces each
  traces();
  EXPECT_EQ(log_.recorded(), 4000U);
  EXPECT_EQ(log_.dropped(), 3000U);
  EXPECT_EQ(log_.take().size(), 1000U);
  EXPECT_EQ(log_.dropped(), 3000U) << "these have been taken";
  EXPECT_EQ(log_.take().size(), 0U);
  for (int i = 0; i < 3; ++i) {
    for (int j = 0; j < 300; ++j) run(500);
    traces();
  }
  EXPECT_EQ(log_.waiting(), 1000U);
  EXPECT_EQ(log_.dropped(), 3800U) << "1800 more, of which 1000 wait";
}

TEST(TraceLogTest, TheNewestOfAllCoresAreInOrderOfTheirEnds) {
  Recorder one{RecorderOptions{}};
  Recorder other{RecorderOptions{}};
  for (int i = 0; i < 1200; ++i) {
    Recorder& core = i % 2 == 0 ? one : other;
    const std::string name = "p" + std::to_string(i);
    observe::Run::Head head{kStart, {}, 7, 0, false, "", "", "POST", name, ""};
    observe::Run run(core, core.series().pipelines.of("p"), head);
    run.finish({kStart + std::chrono::microseconds(i), 200, false, "", ""});
  }
  TraceLog log;
  Recorder* const cores[] = {&one, &other};
  log.collect(cores);
  const std::vector<std::string> newest = log.newest(1000, kClock);
  ASSERT_EQ(newest.size(), 1000U);
  for (int i = 0; i < 1000; ++i) {
    const std::string path = "/orchestrate/p" + std::to_string(1199 - i) + "\"";
    EXPECT_NE(newest[static_cast<size_t>(i)].find(path), std::string::npos) << i;
  }
}

TEST(BatchTest, OnlyWhatACounterHasGrownByIsBrought) {
  Recorder recorder{RecorderOptions{}};
  observe::StepSeries& step = recorder.series().steps.of("a");
  step.ended[static_cast<size_t>(Cause::none)].add(5);
  step.ended[static_cast<size_t>(Cause::timeout)].add(2);
  step.ended[static_cast<size_t>(Cause::cancelled)].add(9);
  step.last_ended.set(static_cast<uint64_t>(kStart.time_since_epoch().count()));
  step.last_failed.set(1);
  recorder.series().steps.of("never called");
  observe::Flushed flushed;
  observe::Totals totals;
  totals.add(recorder.series());
  const auto first = flushed.take(totals, kClock);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(
      observe::to_metrics_json(first.at("a")),
      R"({"requests":7,"errors":2,"last_active":"2023-11-14T22:13:20.000Z","status":"error"})");
  EXPECT_TRUE(flushed.take(totals, kClock).empty());
  step.ended[static_cast<size_t>(Cause::none)].add(1);
  step.last_failed.set(0);
  observe::Totals later;
  later.add(recorder.series());
  const auto second = flushed.take(later, kClock);
  EXPECT_EQ(
      observe::to_metrics_json(second.at("a")),
      R"({"requests":1,"errors":0,"last_active":"2023-11-14T22:13:20.000Z","status":"running"})");
}

}  // namespace
}  // namespace fnkit
