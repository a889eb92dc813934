// Spans to a receiver: opentelemetry-proto, docs/specification.md, "OTLP/HTTP Response".
#include "unit/server/otlp_world.hpp"

namespace fnkit {
namespace {

using server::OtlpExporter;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::answer;

class OtlpExporterTest : public test::OtlpWorld {};

TEST_P(OtlpExporterTest, OneRequestASecondOverOneConnection) {
  start();
  const Instant begin = world_.ring.now();
  add(3);
  ASSERT_TRUE(run_until_exported(3));
  EXPECT_GE(world_.ring.now() - begin, seconds(1));
  EXPECT_LT(world_.ring.now() - begin, milliseconds(1300));
  add();
  ASSERT_TRUE(run_until_exported(4));
  EXPECT_EQ(asked_, 2U);
  EXPECT_EQ(world_.accepted(), 1U);
  const std::string text = heard();
  EXPECT_TRUE(text.starts_with("POST /v1/traces HTTP/1.1\r\nhost: 10.0.0.1:8080\r\n")) << text;
  EXPECT_NE(text.find("\r\ncontent-type: application/json\r\n"), std::string::npos);
  EXPECT_NE(text.find(R"("version":"1"},"spans":[{"traceId")"), std::string::npos);
  for (const char* name : {"span0", "span1", "span2", "span3"}) EXPECT_EQ(count(text, name), 1U);
  EXPECT_EQ(said(), "");
}

TEST_P(OtlpExporterTest, NothingIsSentWhereThereIsNothing) {
  start();
  world_.run_for(seconds(30));
  EXPECT_EQ(world_.accepted(), 0U);
  EXPECT_EQ(said(), "");
}

TEST_P(OtlpExporterTest, ManySpansDoNotWaitForTheSecond) {
  world_.ring.faults() = test::FaultPlan::quick();
  start();
  const Instant begin = world_.ring.now();
  add(OtlpExporter::kBatchMax + 1);
  ASSERT_TRUE(run_until_exported(OtlpExporter::kBatchMax));
  EXPECT_LT(world_.ring.now() - begin, milliseconds(900));
  ASSERT_TRUE(run_until_exported(OtlpExporter::kBatchMax + 1));
  EXPECT_GE(world_.ring.now() - begin, seconds(1));
  EXPECT_EQ(asked_, 2U);
}

TEST_P(OtlpExporterTest, WhatMayBeSentAgainIsSentUntilItIsTaken) {
  for (const int status : {429, 502, 503, 504}) {
    if (exporter_ == nullptr) start();
    answer_with(answer(status));
    const size_t asked = asked_;
    const uint64_t exported = exporter_->exported();
    const size_t name = added_;
    add();
    ASSERT_TRUE(run_until_asked(asked + 3)) << status;
    answer_with(answer(200));
    ASSERT_TRUE(run_until_exported(exported + 1)) << status;
    EXPECT_EQ(count(heard(), "span" + std::to_string(name) + "\""), 4U);
  }
  EXPECT_EQ(exporter_->dropped(), 0U);
  EXPECT_EQ(count(said(), "spans are not exported"), 4U) << said();
  EXPECT_EQ(count(said(), "spans are exported again"), 4U) << said();
  EXPECT_NE(said().find("status 503"), std::string::npos) << said();
}

TEST_P(OtlpExporterTest, WaitsGrow) {
  start();
  answer_with(answer(503));
  add();
  ASSERT_TRUE(run_until_asked(1));
  Duration least = milliseconds(250);
  for (size_t i = 2; i < 6; ++i) {
    const Instant before = asked_at_;
    ASSERT_TRUE(run_until_asked(i));
    EXPECT_GE(asked_at_ - before, least);
    EXPECT_LT(asked_at_ - before, 2 * least + milliseconds(300));
    least *= 2;
  }
}

TEST_P(OtlpExporterTest, RetryAfterIsHonoured) {
  world_.ring.faults() = test::FaultPlan::quick();
  start();
  answer_with(answer(503, "Retry-After: 20\r\n"));
  add();
  ASSERT_TRUE(run_until_asked(1));
  const Instant before = asked_at_;
  world_.settle();
  add(OtlpExporter::kBatchMax);  // which does not hasten it
  answer_with(answer(429, "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n"));
  ASSERT_TRUE(run_until_asked(2));
  EXPECT_GE(asked_at_ - before, seconds(20));
  EXPECT_LT(asked_at_ - before, seconds(21));
  answer_with(answer(200));
  ASSERT_TRUE(run_until_exported(1 + OtlpExporter::kBatchMax)) << "a date is as if it were not";
}

TEST_P(OtlpExporterTest, WhatMayNotBeSentAgainIsDropped) {
  start();
  for (const int status : {400, 404, 413, 500, 501, 302}) {
    answer_with(answer(status, "", "line 1\nline 2"));
    const uint64_t dropped = exporter_->dropped();
    add();
    ASSERT_TRUE(world_.run_until([&] { return exporter_->dropped() == dropped + 1; })) << status;
  }
  answer_with(answer(200));
  add();
  ASSERT_TRUE(run_until_exported(1));
  EXPECT_EQ(exporter_->dropped(), 6U);
  EXPECT_EQ(asked_, 7U);
  EXPECT_EQ(count(said(), "spans are not exported"), 1U) << said();
  EXPECT_NE(said().find("status 400: line 1"), std::string::npos) << said();
  EXPECT_NE(said().find("dropped=6"), std::string::npos) << said();
}

TEST_P(OtlpExporterTest, WhatIsNoHttpIsDropped) {
  start();
  answer_with("220 mail.example.org ESMTP\r\n\r\n");
  add();
  ASSERT_TRUE(world_.run_until([&] { return exporter_->dropped() == 1; }));
}

TEST_P(OtlpExporterTest, RejectedSpansAreDropped) {
  start();
  answer_with(answer(200, "", R"({"partialSuccess":{"rejectedSpans":"2","errorMessage":"old"}})"));
  add(5);
  ASSERT_TRUE(run_until_exported(3));
  EXPECT_EQ(exporter_->dropped(), 2U);
  answer_with(answer(200, "", R"({"partialSuccess":{"rejectedSpans":1}})"));
  add(2);
  ASSERT_TRUE(run_until_exported(4));
  EXPECT_EQ(exporter_->dropped(), 3U);
  answer_with(answer(200, "", R"({"partialSuccess":{"rejectedSpans":"99"}})"));
  add(2);
  ASSERT_TRUE(world_.run_until([&] { return exporter_->dropped() == 5; }));
  EXPECT_EQ(exporter_->exported(), 4U);
  EXPECT_EQ(count(said(), "2 spans rejected: old"), 1U) << said();
}

TEST_P(OtlpExporterTest, AnAnswerThatIsGoodIsGoodWhateverItSays) {
  start();
  uint64_t exported = 0;
  for (const char* body :
       {"", "{}", "ok", "[", "null", R"({"partialSuccess":{}})", R"({"partialSuccess":null})",
        R"({"partialSuccess":{"rejectedSpans":"0"}})", R"({"partialSuccess":[1]})",
        R"({"partialSuccess":{"rejectedSpans":"-1","errorMessage":1}})"}) {
    answer_with(answer(200, "", body));
    add();
    ASSERT_TRUE(run_until_exported(++exported)) << body;
  }
  EXPECT_EQ(exporter_->dropped(), 0U);
  EXPECT_EQ(said(), "");
}

TEST_P(OtlpExporterTest, AReceiverThatIsAwayIsWaitedFor) {
  world_.refuse_at("10.0.0.1:8080");
  start();
  add();
  world_.run_for(seconds(20));
  EXPECT_EQ(exporter_->exported(), 0U);
  world_.listen_at("10.0.0.1:8080");
  ASSERT_TRUE(run_until_exported(1));
  EXPECT_EQ(exporter_->dropped(), 0U);
  EXPECT_EQ(count(said(), "spans are not exported"), 1U) << said();
  EXPECT_EQ(count(said(), "spans are exported again"), 1U) << said();
}

TEST_P(OtlpExporterTest, AnAnswerThatDoesNotComeIsNotWaitedForLong) {
  start();
  answer_with("");
  add();
  ASSERT_TRUE(run_until_asked(1));
  const Instant before = asked_at_;
  answer_with(answer(200));
  ASSERT_TRUE(run_until_exported(1));
  EXPECT_GE(asked_at_ - before, OtlpExporter::kCallTimeout);
  EXPECT_LT(asked_at_ - before, OtlpExporter::kCallTimeout + seconds(1));
}

TEST_P(OtlpExporterTest, AConnectionThatBreaksCostsNoSpan) {
  start();
  add();
  ASSERT_TRUE(run_until_exported(1));
  answer_with("");
  add();
  ASSERT_TRUE(run_until_asked(2));
  answer_with(answer(200));
  world_.reset(0);
  ASSERT_TRUE(run_until_exported(2));
  EXPECT_EQ(exporter_->dropped(), 0U);
  EXPECT_EQ(said(), "") << "the pool has sent it again";
}

TEST_P(OtlpExporterTest, OfTooManyTheNewestAreDropped) {
  world_.ring.faults() = test::FaultPlan::quick();
  start();
  answer_with(answer(503));
  add(OtlpExporter::kSpansMax);
  EXPECT_EQ(exporter_->dropped(), 0U);
  add(7);
  EXPECT_EQ(exporter_->dropped(), 7U);
  ASSERT_TRUE(run_until_asked(2));
  add();
  EXPECT_EQ(exporter_->dropped(), 8U) << "those on their way count";
  answer_with(answer(200));
  ASSERT_TRUE(run_until_exported(OtlpExporter::kSpansMax));
  EXPECT_EQ(asked_, 2U + OtlpExporter::kSpansMax / OtlpExporter::kBatchMax);
  const std::string text = heard();
  EXPECT_EQ(count(text, "\"span" + std::to_string(OtlpExporter::kSpansMax - 1) + "\""), 1U);
  EXPECT_EQ(count(text, "\"span" + std::to_string(OtlpExporter::kSpansMax) + "\""), 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, OtlpExporterTest, testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace fnkit
