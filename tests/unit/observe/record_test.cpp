#include "fnkit/observe/record.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace fnkit {
namespace {

using observe::Record;
using observe::RecordRing;
using Part = Record::Part;

Record numbered(uint64_t number) {
  Record record;
  record.trace_id[0] = number;
  // A length of its own, so that a mixture of two would show.
  const std::string text(number % 100, static_cast<char>('a' + number % 26));
  record.add(Part::method, std::to_string(number));
  record.add(Part::path, text);
  record.add(Part::preview, text);
  return record;
}

void expect_whole(const Record& record) {
  const Record same = numbered(record.trace_id[0]);
  for (const Part part : {Part::method, Part::path, Part::preview, Part::error}) {
    ASSERT_EQ(record.part(part), same.part(part)) << record.trace_id[0];
  }
}

TEST(RecordTest, PartsAreCutToWhatIsKeptOfThem) {
  Record record;
  for (const Part part : {Part::method, Part::path, Part::preview, Part::error, Part::request_id,
                          Part::caller, Part::spans}) {
    record.add(part, std::string(1000, static_cast<char>('a' + static_cast<int>(part))));
  }
  EXPECT_EQ(record.part(Part::method), std::string(16, 'a'));
  EXPECT_EQ(record.part(Part::path), std::string(100, 'b'));
  EXPECT_EQ(record.part(Part::preview), std::string(120, 'c'));
  EXPECT_EQ(record.part(Part::error), std::string(120, 'd'));
  EXPECT_EQ(record.part(Part::request_id), std::string(64, 'e'));
  EXPECT_EQ(record.part(Part::caller), std::string(48, 'f'));
  EXPECT_EQ(record.part(Part::spans), std::string(16, 'g'));
  EXPECT_EQ(record.text_size, record.text.size()) << "all of it is needed";
}

TEST(RecordTest, PartsInBetweenMayBeMissing) {
  Record record;
  record.add(Part::path, "/");
  record.add(Part::caller, "me");
  EXPECT_EQ(record.part(Part::method), "");
  EXPECT_EQ(record.part(Part::path), "/");
  EXPECT_EQ(record.part(Part::error), "");
  EXPECT_EQ(record.part(Part::caller), "me");
  record.clear_text();
  EXPECT_EQ(record.part(Part::caller), "");
  EXPECT_EQ(record.text_size, 0U);
}

TEST(RecordRingTest, TheNewestAreTakenOnceOldestFirst) {
  RecordRing ring(8);
  std::vector<Record> taken;
  EXPECT_EQ(ring.take(taken, 8), 0U);
  for (uint64_t i = 0; i < 5; ++i) ring.write(numbered(i));
  EXPECT_EQ(ring.take(taken, 8), 5U);
  ASSERT_EQ(taken.size(), 5U);
  for (uint64_t i = 0; i < 5; ++i) EXPECT_EQ(taken[i].trace_id[0], i);
  taken.clear();
  EXPECT_EQ(ring.take(taken, 8), 0U);
  for (uint64_t i = 5; i < 105; ++i) ring.write(numbered(i));
  EXPECT_EQ(ring.take(taken, 8), 100U) << "what was written over is counted";
  ASSERT_EQ(taken.size(), 8U);
  EXPECT_EQ(taken.front().trace_id[0], 97U);
  expect_whole(taken.back());
  taken.clear();
  for (uint64_t i = 105; i < 110; ++i) ring.write(numbered(i));
  EXPECT_EQ(ring.take(taken, 2), 5U);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken.front().trace_id[0], 108U);
}

TEST(RecordRingTest, AReaderNeverSeesHalfARecord) {
  constexpr uint64_t kWritten = 300'000;
  RecordRing ring(16);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (uint64_t i = 0; i < kWritten; ++i) ring.write(numbered(i));
    done = true;
  });
  uint64_t told = 0;
  size_t seen = 0;
  uint64_t newest = 0;
  std::vector<Record> taken;
  for (bool last = false; !last;) {
    last = done;
    taken.clear();
    told += ring.take(taken, 16);
    for (const Record& record : taken) {
      expect_whole(record);
      EXPECT_GE(record.trace_id[0], newest);
      newest = record.trace_id[0];
    }
    seen += taken.size();
  }
  writer.join();
  EXPECT_EQ(told, kWritten);
  EXPECT_EQ(newest, kWritten - 1);
  EXPECT_GE(seen, 16U);
}

}  // namespace
}  // namespace fnkit
