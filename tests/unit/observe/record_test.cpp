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
  record.span_id = number;
  // A length of its own, so that a mixture of two would show.
  const std::string text(number % 100, static_cast<char>('a' + number % 26));
  record.add(Part::request_id, std::to_string(number));
  record.add(Part::path, text);
  record.add(Part::preview, text);
  return record;
}

void expect_whole(const Record& record) {
  const Record same = numbered(record.span_id);
  for (const Part part : {Part::request_id, Part::method, Part::path, Part::preview}) {
    ASSERT_EQ(record.part(part), same.part(part)) << record.span_id;
  }
}

TEST(RecordTest, PartsAreCutToWhatIsKeptOfThem) {
  Record record;
  for (const Part part :
       {Part::request_id, Part::caller, Part::method, Part::path, Part::preview, Part::error}) {
    record.add(part, std::string(1000, static_cast<char>('a' + static_cast<int>(part))));
  }
  EXPECT_EQ(record.part(Part::request_id), std::string(64, 'a'));
  EXPECT_EQ(record.part(Part::caller), std::string(48, 'b'));
  EXPECT_EQ(record.part(Part::method), std::string(16, 'c'));
  EXPECT_EQ(record.part(Part::path), std::string(100, 'd'));
  EXPECT_EQ(record.part(Part::preview), std::string(120, 'e'));
  EXPECT_EQ(record.part(Part::error), std::string(120, 'f'));
  EXPECT_EQ(record.text_size, record.text.size()) << "all of it is needed";
}

TEST(RecordTest, WhatIsTakenBackCanBeWrittenAnew) {
  Record record;
  record.add(Part::request_id, "id");
  record.add(Part::method, "GET");
  record.add(Part::path, "/");
  record.cut_from(Part::method);
  record.add(Part::path, "/other");
  EXPECT_EQ(record.part(Part::request_id), "id");
  EXPECT_EQ(record.part(Part::method), "");
  EXPECT_EQ(record.part(Part::path), "/other");
}

TEST(RecordRingTest, TheNewestAreTakenOnceOldestFirst) {
  RecordRing ring(8);
  std::vector<Record> taken;
  EXPECT_EQ(ring.take(taken, 8), 0U);
  for (uint64_t i = 0; i < 5; ++i) ring.write(numbered(i));
  EXPECT_EQ(ring.take(taken, 8), 5U);
  ASSERT_EQ(taken.size(), 5U);
  for (uint64_t i = 0; i < 5; ++i) EXPECT_EQ(taken[i].span_id, i);
  taken.clear();
  EXPECT_EQ(ring.take(taken, 8), 0U);
  for (uint64_t i = 5; i < 105; ++i) ring.write(numbered(i));
  EXPECT_EQ(ring.take(taken, 8), 100U) << "what was written over is counted";
  ASSERT_EQ(taken.size(), 8U);
  EXPECT_EQ(taken.front().span_id, 97U);
  expect_whole(taken.back());
  taken.clear();
  for (uint64_t i = 105; i < 110; ++i) ring.write(numbered(i));
  EXPECT_EQ(ring.take(taken, 2), 5U);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken.front().span_id, 108U);
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
      EXPECT_GE(record.span_id, newest);
      newest = record.span_id;
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
