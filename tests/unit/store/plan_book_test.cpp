#include "store/plan_book.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "store/change_feed.hpp"
#include "store/dirty_keys.hpp"

namespace fnkit::store {
namespace {

using namespace std::chrono_literals;

struct Sink final : SnapshotSink {
  void publish(std::shared_ptr<const Snapshot> next) override {
    snapshot = std::move(next);
    ++count;
  }
  std::shared_ptr<const Snapshot> snapshot;
  int count = 0;
};

Reading text(std::string value) { return {Reading::Kind::config, std::move(value)}; }

class PlanBookTest : public ::testing::Test {
 protected:
  void stored(const std::string& name, const std::string& value) { book_.read(name, text(value)); }
  const Entry* find(std::string_view name) { return sink_.snapshot->find(name); }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (size_t part = 0; part < Snapshot::kParts; ++part) {
      for (std::string& name : book_.names(part)) all.push_back(std::move(name));
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  const std::string good_ = R"({"steps":["a"]})";
  Sink sink_;
  FollowerStatus status_;
  PlanBook book_{sink_, status_};
};

TEST_F(PlanBookTest, TheFirstSnapshotIsPublishedEvenWhenEmpty) {
  EXPECT_FALSE(status_.loaded);
  book_.publish();
  EXPECT_TRUE(status_.loaded);
  EXPECT_EQ(sink_.count, 1);
  EXPECT_EQ(sink_.snapshot->size(), 0U);
  EXPECT_EQ(find("a"), nullptr);
}

TEST_F(PlanBookTest, OnlyChangesArePublished) {
  stored("a", good_);
  book_.publish();
  const auto plan = find("a")->plan;
  stored("a", good_);
  book_.read("never there", {});
  book_.publish();
  EXPECT_EQ(sink_.count, 1);
  stored("b", good_);
  book_.publish();
  EXPECT_EQ(sink_.count, 2);
  EXPECT_EQ(find("a")->plan, plan);
  EXPECT_EQ(status_.pipelines, 2U);
}

TEST_F(PlanBookTest, ASnapshotNeverChanges) {
  stored("a", good_);
  book_.publish();
  const auto before = sink_.snapshot;
  book_.read("a", {});
  stored("b", "x");
  book_.publish();
  EXPECT_NE(before->find("a"), nullptr);
  EXPECT_EQ(before->find("b"), nullptr);
  EXPECT_EQ(find("a"), nullptr);
  EXPECT_EQ(before->size(), 1U);
  EXPECT_EQ(sink_.snapshot->size(), 1U);
}

TEST_F(PlanBookTest, AnInvalidValueLeavesTheLastGoodPlan) {
  stored("a", good_);
  stored("b", "[]");
  book_.publish();
  EXPECT_EQ(status_.invalid, 1U);
  EXPECT_EQ(find("b")->plan, nullptr);
  const auto plan = find("a")->plan;
  stored("a", "{");
  book_.publish();
  EXPECT_EQ(find("a")->plan, plan);
  EXPECT_NE(find("a")->invalid, "");
  EXPECT_EQ(status_.invalid, 2U);
  book_.read("a", too_large());
  book_.publish();
  EXPECT_EQ(find("a")->plan, plan);
  EXPECT_NE(find("a")->invalid.find("65536"), std::string::npos);
  stored("a", good_);
  book_.publish();
  EXPECT_EQ(find("a")->invalid, "");
  EXPECT_EQ(status_.invalid, 1U);
  book_.read("b", {});
  book_.publish();
  EXPECT_EQ(status_.invalid, 0U);
}

TEST_F(PlanBookTest, WhatWentAndCameBackInvalidHasNoPlan) {
  stored("a", good_);
  book_.publish();
  book_.read("a", {});
  stored("a", "{");
  book_.publish();
  EXPECT_EQ(find("a")->plan, nullptr);
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
}

TEST_F(PlanBookTest, NamesThatNoPipelineCanHaveAreLeftOut) {
  for (const std::string name : {"", "a b", "a/b", "\xff"}) stored(name, good_);
  stored(std::string(129, 'x'), good_);
  stored(".", good_);
  book_.publish();
  EXPECT_EQ(names(), std::vector<std::string>{"."});
}

// What is known and not published yet counts: of a first reading that broke off, say.
TEST_F(PlanBookTest, KnownNamesAreThoseOfTheLastReading) {
  for (const std::string name : {"a", "b", "c"}) stored(name, good_);
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "b", "c"}));
  book_.publish();
  stored("d", "{");
  stored("a", R"({"steps":["b"]})");
  book_.read("b", {});
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "c", "d"}));
  EXPECT_TRUE(book_.knows("d"));
  EXPECT_FALSE(book_.knows("b"));
  book_.publish();
  EXPECT_EQ(names(), (std::vector<std::string>{"a", "c", "d"}));
}

TEST_F(PlanBookTest, SomeOfTheInvalidOnesAreNamed) {
  for (int i = 10; i < 40; ++i) stored("n" + std::to_string(i), "[]");
  book_.publish();
  EXPECT_EQ(status_.invalid, 30U);
  ASSERT_EQ(status_.some_invalid.size(), FollowerStatus::kSomeInvalidMax);
  EXPECT_EQ(status_.some_invalid.front().name, "n10");
  EXPECT_NE(status_.some_invalid.front().why.find("object"), std::string::npos);
  for (int i = 10; i < 39; ++i) stored("n" + std::to_string(i), good_);
  book_.publish();
  ASSERT_EQ(status_.some_invalid.size(), 1U);
  EXPECT_EQ(status_.some_invalid.front().name, "n39");
}

TEST_F(PlanBookTest, ManyNamesAreAllFound) {
  for (int i = 0; i < 5000; ++i) stored("n" + std::to_string(i), good_);
  book_.publish();
  for (int i = 0; i < 5000; i += 2) book_.read("n" + std::to_string(i), {});
  book_.publish();
  EXPECT_EQ(sink_.snapshot->size(), 2500U);
  for (int i = 0; i < 5000; ++i) EXPECT_EQ(find("n" + std::to_string(i)) != nullptr, i % 2 == 1);
}

TEST(DirtyKeys, TheFirstChangeIsDueAtOnceAndTheNextAfterARest) {
  DirtyKeys dirty;
  const Instant begin(1h);
  EXPECT_EQ(dirty.due(), kNever);
  dirty.mark("a");
  dirty.mark("a");
  EXPECT_LE(dirty.due(), begin);
  EXPECT_EQ(dirty.take(begin, 10), std::vector<std::string>{"a"});
  EXPECT_EQ(dirty.due(), kNever);
  dirty.mark("a");
  dirty.mark("b");
  EXPECT_EQ(dirty.due(), begin + DirtyKeys::kRoundInterval);
  EXPECT_TRUE(dirty.take(begin + 3ms, 10).empty());
  EXPECT_EQ(dirty.take(begin + 4ms, 10), std::vector<std::string>{"b"});
  EXPECT_EQ(dirty.due(), begin + DirtyKeys::kReadInterval);
  EXPECT_TRUE(dirty.take(begin + 19ms, 10).empty());
  EXPECT_EQ(dirty.take(begin + 20ms, 10), std::vector<std::string>{"a"});
  EXPECT_EQ(dirty.due(), kNever);
}

TEST(DirtyKeys, NoMoreAreTakenThanAskedForAndNoneIsLost) {
  DirtyKeys dirty;
  for (int i = 0; i < 10; ++i) dirty.mark(std::to_string(i));
  const Instant now(1h);
  EXPECT_EQ(dirty.take(now, 7).size(), 7U);
  EXPECT_EQ(dirty.take(now, 7).size(), 3U);
  EXPECT_TRUE(dirty.take(now, 7).empty());
}

TEST(DirtyKeys, EverythingRestsToo) {
  DirtyKeys dirty;
  const Instant now(1h);
  dirty.mark("a");
  dirty.mark_everything();
  EXPECT_TRUE(dirty.everything_due(now));
  dirty.take_everything(now);
  EXPECT_EQ(dirty.take(now, 10), std::vector<std::string>{"a"});
  EXPECT_EQ(dirty.due(), kNever);
  dirty.mark_everything();
  EXPECT_FALSE(dirty.everything_due(now + 19ms));
  EXPECT_TRUE(dirty.everything_due(now + 20ms));
}

TEST(DirtyKeys, TooManyNamesAreEverything) {
  DirtyKeys dirty;
  for (size_t i = 0; i <= DirtyKeys::kNamesMax; ++i) dirty.mark(std::to_string(i));
  EXPECT_TRUE(dirty.everything_due(Instant(1h)));
}

TEST(NotificationFlags, OnlyWhatIsMissingIsAdded) {
  EXPECT_EQ(missing_flags(""), "K$gxe");
  EXPECT_EQ(missing_flags("AK"), "");
  EXPECT_EQ(missing_flags("AE"), "K");
  EXPECT_EQ(missing_flags("Elg"), "K$xe");
  EXPECT_EQ(missing_flags("g$xeK"), "");
}

}  // namespace
}  // namespace fnkit::store
