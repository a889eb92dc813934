#include "fnkit/observe/journal.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <optional>
#include <thread>

#include "fnkit/json/value.hpp"

namespace fnkit::observe {
namespace {

using std::chrono::milliseconds;

// A journal whose lines go to a file; time is what the test says.
class JournalTest : public testing::Test {
 protected:
  JournalTest() : file_(std::tmpfile()), writer_(fileno(file_)) { journal_.emplace(writer_); }
  ~JournalTest() override { std::fclose(file_); }

  void log(Instant now, std::string_view message, std::string_view name = "x") {
    const LogField field{"name", name};
    journal_->write_at(now, LogLevel::warning, "store", message, {&field, 1});
  }

  // All lines, each without its timestamp; the journal has ended then.
  std::vector<std::string> lines() {
    journal_.reset();
    writer_.close();
    std::vector<std::string> found;
    std::string all(static_cast<size_t>(::lseek(fileno(file_), 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(fileno(file_), all.data(), all.size(), 0), std::ssize(all));
    for (size_t begin = 0; begin < all.size();) {
      const size_t end = all.find('\n', begin);
      const std::string line = all.substr(begin, end - begin);
      found.push_back(line.substr(line.find(' ') + 1));
      begin = end + 1;
    }
    return found;
  }

  // Of the newest event; "" where it is absent.
  std::string part_of_newest(std::string_view key) const {
    const std::string event = journal_->recent(1).at(0);
    const Result<json::Value> value = json::parse(event, 4);
    EXPECT_TRUE(value) << event;
    const json::Value* part = value ? value->find(key) : nullptr;
    return part == nullptr ? "" : *part->as_string();
  }

  static std::string line(std::string_view message, std::string_view rest) {
    return "level=warning source=store msg=\"" + std::string(message) + "\" " + std::string(rest);
  }

  std::FILE* const file_;
  LogWriter writer_;
  std::optional<Journal> journal_;
  const Instant start_ = Instant(std::chrono::hours(1));
};

TEST_F(JournalTest, WhatIsRareComesAsItIs) {
  for (int i = 0; i < 30; ++i) log(start_ + i * milliseconds(112), "m", std::to_string(i));
  const auto written = lines();
  ASSERT_EQ(written.size(), 30U);
  for (size_t i = 0; i < 30; ++i) EXPECT_EQ(written[i], line("m", "name=" + std::to_string(i)));
}

TEST_F(JournalTest, WhatRepeatsIsSummedUpWhenTheSecondIsOver) {
  for (int i = 0; i < 100; ++i) log(start_ + i * milliseconds(1), "m", std::to_string(i));
  EXPECT_EQ(journal_->recorded(), 9U);
  journal_->tick(start_ + milliseconds(1008));  // the tenth came at 9 ms
  EXPECT_EQ(journal_->recorded(), 9U);
  journal_->tick(start_ + milliseconds(1009));
  EXPECT_EQ(journal_->recorded(), 10U);
  journal_->tick(start_ + milliseconds(9000));
  const auto written = lines();
  ASSERT_EQ(written.size(), 10U);
  EXPECT_EQ(written[8], line("m", "name=8"));
  EXPECT_EQ(written[9], line("m", "repeated=91 name=99"));
}

TEST_F(JournalTest, TheNextOfTheKindSumsUpAsWell) {
  for (int i = 0; i < 20; ++i) log(start_, "m", std::to_string(i));
  log(start_ + milliseconds(1000), "m", "next");
  const auto written = lines();
  ASSERT_EQ(written.size(), 11U);
  EXPECT_EQ(written[9], line("m", "repeated=11 name=19"));
  EXPECT_EQ(written[10], line("m", "name=next"));
}

TEST_F(JournalTest, OneHeldBackIsNoRepetition) {
  for (int i = 0; i < 10; ++i) log(start_, "m", std::to_string(i));
  const auto written = lines();
  ASSERT_EQ(written.size(), 10U);
  EXPECT_EQ(written[9], line("m", "name=9"));
}

// Else what came later would stand before.
TEST_F(JournalTest, WhatFollowsWhatIsHeldBackIsHeldBackToo) {
  for (int i = 0; i < 9; ++i) log(start_, "m");
  log(start_ + milliseconds(500), "m", "held");
  log(start_ + milliseconds(1100), "m", "later");
  const auto written = lines();
  ASSERT_EQ(written.size(), 10U);
  EXPECT_EQ(written[9], line("m", "repeated=2 name=later"));
}

TEST_F(JournalTest, TheEndSumsUp) {
  for (int i = 0; i < 20; ++i) log(start_, "m");
  EXPECT_EQ(lines().back(), line("m", "repeated=11 name=x"));
}

TEST_F(JournalTest, AFlushSumsUp) {
  for (int i = 0; i < 20; ++i) log(start_, "m");
  journal_->flush();
  EXPECT_EQ(journal_->recorded(), 10U);
}

// Kinds are levels and messages; sources and fields are not.
TEST_F(JournalTest, KindsAreCountedApart) {
  const LogField field{"name", "x"};
  for (int i = 0; i < 9; ++i) {
    log(start_, "m");
    log(start_, "n");
    journal_->write_at(start_, LogLevel::error, "store", "m", {&field, 1});
  }
  EXPECT_EQ(journal_->recorded(), 27U);
  journal_->write_at(start_, LogLevel::error, "functions", "m", {});
  EXPECT_EQ(journal_->recorded(), 27U);
}

// In whatever rhythm they come: no second has more than ten lines of a kind, none is miscounted.
TEST_F(JournalTest, NoSecondHasMoreThanTenOfAKind) {
  uint64_t random = 1;
  std::vector<Instant> written;
  uint64_t happened = 0;
  for (Instant now = start_; now < start_ + std::chrono::seconds(150);) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    const auto choice = static_cast<int64_t>(random >> 33);
    // Storms, and calms in which some come now and then.
    now += choice / 64 % 512 == 0 ? milliseconds(choice % 2048) : milliseconds(choice % 8);
    const uint64_t before = journal_->recorded();
    if (choice % 5 == 0) {
      journal_->tick(now);
    } else {
      log(now, "m");
      ++happened;
    }
    written.insert(written.end(), journal_->recorded() - before, now);
  }
  for (size_t i = Journal::kLinesMax; i < written.size(); ++i) {
    ASSERT_GE(written[i] - written[i - Journal::kLinesMax], std::chrono::seconds(1)) << i;
  }
  EXPECT_GT(written.size(), 500U);
  uint64_t told = 0;
  for (const std::string& each : lines()) {
    constexpr std::string_view kRepeated = "repeated=";
    const size_t at = each.find(kRepeated);
    told += at == std::string::npos ? 1 : std::stoull(each.substr(at + kRepeated.size()));
  }
  EXPECT_EQ(told, happened);
}

TEST_F(JournalTest, TheKindThatWasSilentForLongestIsForgotten) {
  for (int i = 0; i < 20; ++i) log(start_, "first");
  for (size_t i = 1; i < Journal::kKindsMax; ++i) {
    for (int k = 0; k < 9; ++k) log(start_ + milliseconds(1), "m" + std::to_string(i));
  }
  const uint64_t before = journal_->recorded();
  log(start_ + milliseconds(2), "one more");
  EXPECT_EQ(journal_->recorded(), before + 2) << "what was held of the first is summed up";
  log(start_ + milliseconds(2), "one more");
  EXPECT_EQ(journal_->recorded(), before + 3) << "nothing more is forgotten";
}

TEST_F(JournalTest, AnEventHasTheShapeOfTheReference) {
  const std::array fields{LogField{"pipeline", "p"}, LogField{"detail", "no route to host"},
                          LogField{"status", "502"}, LogField{"request_id", "a b"}};
  journal_->write_at(start_, LogLevel::error, "functions", "step failed", fields);
  const std::string event = journal_->recent(1).at(0);
  const std::string rest = event.substr(event.find("Z\""));
  EXPECT_EQ(rest, R"(Z","level":"error","source":"functions","message":"step failed",)"
                  R"("detail":"no route to host pipeline=p status=502 request_id=\"a b\""})");
  const std::string timestamp = part_of_newest("timestamp");
  ASSERT_EQ(timestamp.size(), std::string_view("2026-11-25T15:42:01.000Z").size());
  EXPECT_EQ(timestamp[19], '.');
  EXPECT_EQ(timestamp[23], 'Z');
}

TEST_F(JournalTest, AnEventWithoutFieldsHasNoDetail) {
  journal_->write_at(start_, LogLevel::info, "server", "ended", {});
  const std::string event = journal_->recent(1).at(0);
  EXPECT_EQ(event.substr(event.find("\",\"level") + 2),
            R"("level":"info","source":"server","message":"ended"})");
}

TEST_F(JournalTest, AnEventIsValidJsonWhateverBytesCame) {
  std::string every_byte;
  for (int c = 0; c < 256; ++c) every_byte += static_cast<char>(c);
  const std::array fields{LogField{"detail", every_byte}, LogField{"name", every_byte}};
  journal_->write_at(start_, LogLevel::info, every_byte, every_byte, fields);
  EXPECT_NE(part_of_newest("detail"), "");
  EXPECT_NE(part_of_newest("message"), "");
}

TEST_F(JournalTest, LongValuesAreCutBetweenCharacters) {
  std::string value(Journal::kValueBytesMax - 1, 'x');
  log(start_, "m", value + "\xE2\x82\xAC and more");
  EXPECT_EQ(part_of_newest("detail"), "name=" + value);
  EXPECT_EQ(lines().at(0), line("m", "name=" + value));
}

TEST_F(JournalTest, LongValuesThatWereHeldBackAreCutAsWell) {
  for (int i = 0; i < 11; ++i) log(start_, "m", std::string(100'000, 'x'));
  EXPECT_EQ(lines().back(),
            line("m", "repeated=2 name=" + std::string(Journal::kValueBytesMax, 'x')));
}

TEST_F(JournalTest, TheNewestEventsAreShown) {
  constexpr size_t kEvents = Journal::kEventsMax + 100;
  for (size_t i = 0; i < kEvents; ++i) {
    log(start_ + i * std::chrono::seconds(1), "m", std::to_string(i));
  }
  EXPECT_EQ(part_of_newest("detail"), "name=" + std::to_string(kEvents - 1));
  EXPECT_EQ(journal_->recent(0).size(), 0U);
  EXPECT_EQ(journal_->recent(3).size(), 3U);
  const std::vector<std::string> all = journal_->recent(2 * kEvents);
  ASSERT_EQ(all.size(), Journal::kEventsMax);
  EXPECT_NE(all.front().find("name=" + std::to_string(kEvents - 1) + "\""), std::string::npos);
  EXPECT_NE(all.back().find("name=100\""), std::string::npos);
}

TEST_F(JournalTest, PendingEventsAreTakenOnce) {
  log(start_, "m", "one");
  log(start_, "m", "two");
  const std::vector<std::string> taken = journal_->take_pending();
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_NE(taken[0].find("name=one"), std::string::npos);
  EXPECT_NE(taken[1].find("name=two"), std::string::npos);
  EXPECT_TRUE(journal_->take_pending().empty());
  EXPECT_EQ(journal_->recent(9).size(), 2U);
}

TEST_F(JournalTest, OfPendingEventsTheOldestAreDropped) {
  for (size_t i = 0; i < Journal::kEventsMax + 7; ++i) {
    log(start_ + i * std::chrono::seconds(1), "m", std::to_string(i));
  }
  EXPECT_EQ(journal_->recorded(), Journal::kEventsMax + 7);
  EXPECT_EQ(journal_->dropped(), 7U);
  const std::vector<std::string> taken = journal_->take_pending();
  ASSERT_EQ(taken.size(), Journal::kEventsMax);
  EXPECT_NE(taken.front().find("name=7\""), std::string::npos);
}

TEST_F(JournalTest, ManyThreadsWrite) {
  constexpr int kEach = 1000;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([this] {
      for (int i = 0; i < kEach; ++i) {
        log(std::chrono::steady_clock::now(), "m");
        if (i % 100 == 0) {
          journal_->tick(std::chrono::steady_clock::now());
          journal_->take_pending();
          EXPECT_FALSE(journal_->recent(1).empty());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  uint64_t told = 0;
  for (const std::string& each : lines()) {
    const size_t at = each.find("repeated=");
    told += at == std::string::npos ? 1 : std::stoull(each.substr(at + 9));
  }
  EXPECT_EQ(told, 4U * kEach);
}

}  // namespace
}  // namespace fnkit::observe
