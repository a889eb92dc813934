// How an exporter ends: what is held has half a second, and no span is forgotten.
#include "unit/server/otlp_world.hpp"

namespace fnkit {
namespace {

using server::OtlpExporter;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::answer;

class OtlpEndTest : public test::OtlpWorld {};

TEST_P(OtlpEndTest, StoppingSendsWhatWaits) {
  world_.ring.faults() = test::FaultPlan::quick();
  start();
  add(OtlpExporter::kBatchMax + 100);
  const Instant before = world_.ring.now();
  stop();
  EXPECT_EQ(exporter_->exported(), OtlpExporter::kBatchMax + 100);
  EXPECT_LT(world_.ring.now() - before, OtlpExporter::kFarewell);
  add();
  EXPECT_EQ(exporter_->dropped(), 1U);
}

TEST_P(OtlpEndTest, StoppingLetsARequestOnItsWayArrive) {
  start();
  add();
  answer_with("");
  ASSERT_TRUE(run_until_asked(1));
  exporter_->stop();
  world_.run_for(milliseconds(200));
  world_.peer(0).say(answer(200));
  stop();
  EXPECT_EQ(exporter_->exported(), 1U);
  EXPECT_EQ(asked_, 1U);
}

TEST_P(OtlpEndTest, StoppingTriesOnceMoreWhatWasRefused) {
  start();
  answer_with(answer(503, "Retry-After: 60\r\n"));
  add();
  ASSERT_TRUE(run_until_asked(1));
  answer_with(answer(200));
  world_.settle();
  add();
  stop();
  EXPECT_EQ(exporter_->exported(), 2U);
  EXPECT_EQ(exporter_->dropped(), 0U);
}

TEST_P(OtlpEndTest, StoppingDoesNotWaitForAReceiver) {
  start();
  answer_with("");
  add();
  ASSERT_TRUE(run_until_asked(1));
  add(2);
  const Instant before = world_.ring.now();
  stop();
  EXPECT_GE(world_.ring.now() - before, OtlpExporter::kFarewell);
  EXPECT_LT(world_.ring.now() - before, OtlpExporter::kFarewell + milliseconds(100));
  EXPECT_EQ(exporter_->dropped(), 3U);
  EXPECT_NE(said().find("spans lost at the end"), std::string::npos) << said();
}

TEST_P(OtlpEndTest, StoppingWhileTheReceiverIsAwayIsQuick) {
  world_.refuse_at("10.0.0.1:8080");
  start();
  add();
  world_.run_for(seconds(5));
  const Instant before = world_.ring.now();
  stop();
  EXPECT_LT(world_.ring.now() - before, OtlpExporter::kFarewell);
  EXPECT_EQ(exporter_->dropped(), 1U);
}

TEST_P(OtlpEndTest, StoppingWithNothingToSendIsQuick) {
  start();
  add();
  ASSERT_TRUE(run_until_exported(1));
  const Instant before = world_.ring.now();
  stop();
  EXPECT_LT(world_.ring.now() - before, milliseconds(100));
}

// Whatever happens to connections, each span is exported or dropped in the end.
TEST_P(OtlpEndTest, NoSpanIsForgotten) {
  world_.ring.faults() = test::FaultPlan::quick();
  world_.ring.faults().connect_refused = 20;
  world_.ring.faults().connect_lost = 5;
  world_.ring.faults().send_fails = 5;
  world_.ring.faults().reset = 1;
  start();
  for (int i = 0; i < 60; ++i) {
    add(random_.below(100));
    answer_with(random_.chance(20) ? answer(503) : answer(200));
    world_.run_for(milliseconds(static_cast<int64_t>(random_.below(1500))));
  }
  stop();
  EXPECT_EQ(exporter_->exported() + exporter_->dropped(), added_);
  EXPECT_GT(exporter_->exported(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, OtlpEndTest, testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace fnkit
