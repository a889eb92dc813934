#include "fnkit/base/buffer.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <utility>

#include "fnkit/base/random.hpp"
#include "fnkit/base/sanitizer.hpp"

namespace fnkit {
namespace {

constexpr size_t kMegabyte = 1024 * 1024;

class BufferTest : public testing::Test {
 protected:
  void TearDown() override { EXPECT_EQ(Buffer::bytes_held_by_thread(), 0U); }

  static Buffer of(std::string_view bytes) {
    Buffer buffer;
    buffer.append(bytes);
    return buffer;
  }
};

TEST_F(BufferTest, AnEmptyOneHoldsNothing) {
  Buffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.view(), "");
  buffer.append("");
  buffer.consume(0);
  buffer.erase(0, 0);
  buffer.clear();
  EXPECT_TRUE(buffer.take_front(0).empty());
  EXPECT_EQ(Buffer::bytes_held_by_thread(), 0U);
}

TEST_F(BufferTest, RoomIsFilledThenCommitted) {
  Buffer buffer = of("head ");
  char* room = buffer.make_room(10'000);
  std::memset(room, 'x', 10'000);
  EXPECT_EQ(buffer.view(), "head ") << "nothing is content before commit()";
  buffer.commit(3);
  EXPECT_EQ(buffer.view(), "head xxx");
}

// A large message is held once, however it arrived: growing for it leaves nothing over.
TEST_F(BufferTest, ExactRoomIsNoMoreThanAskedFor) {
  Buffer buffer = of("head");
  std::string expected = "head";
  for (const size_t more : {size_t{100'000}, size_t{1}, size_t{3'000'000}, size_t{20}}) {
    buffer.make_exact_room(more);
    buffer.append(std::string(more, 'x'));
    expected.append(more, 'x');
    EXPECT_EQ(buffer.room(), 0U) << more;
    EXPECT_EQ(Buffer::bytes_held_by_thread(), expected.size() + Buffer::kPadding) << more;
  }
  EXPECT_TRUE(buffer.view() == expected);
}

TEST_F(BufferTest, AThreadMayHaveALimit) {
  EXPECT_FALSE(Buffer::thread_holds_too_much());
  Buffer::limit_thread(10'000);
  Buffer buffer = of("small");
  EXPECT_FALSE(Buffer::thread_holds_too_much());
  buffer.make_exact_room(10'000);
  EXPECT_TRUE(Buffer::thread_holds_too_much());
  buffer.clear();
  EXPECT_FALSE(Buffer::thread_holds_too_much());
  Buffer::limit_thread(std::numeric_limits<size_t>::max());
}

TEST_F(BufferTest, ConsumingAllGivesTheStorageBack) {
  Buffer buffer = of("content");
  EXPECT_GT(Buffer::bytes_held_by_thread(), 0U);
  buffer.consume(3);
  EXPECT_EQ(buffer.view(), "tent");
  EXPECT_GT(Buffer::bytes_held_by_thread(), 0U);
  buffer.consume(4);
  EXPECT_EQ(Buffer::bytes_held_by_thread(), 0U);
}

TEST_F(BufferTest, ErasingMovesTheRestDown) {
  Buffer buffer = of("0123456789");
  buffer.erase(2, 5);
  EXPECT_EQ(buffer.view(), "0156789");
  buffer.consume(1);
  buffer.erase(0, 2);
  EXPECT_EQ(buffer.view(), "6789");
  buffer.erase(2, 4);
  EXPECT_EQ(buffer.view(), "67");
}

TEST_F(BufferTest, TakesTheFrontWhicheverPartIsSmaller) {
  for (const size_t cut : {0U, 1U, 4U, 5U, 6U, 9U, 10U}) {
    Buffer rest = of("0123456789");
    const Buffer front = rest.take_front(cut);
    EXPECT_EQ(front.view(), std::string_view("0123456789").substr(0, cut));
    EXPECT_EQ(rest.view(), std::string_view("0123456789").substr(cut));
  }
}

TEST_F(BufferTest, CopiesTheSmallerPartOnly) {
  const std::string bytes(100'000, 'b');
  Buffer buffer = of(bytes);
  const char* storage = buffer.data();
  const Buffer small = buffer.take_front(10);
  EXPECT_EQ(buffer.data(), storage + 10) << "the large rest was moved";
  const Buffer large = buffer.take_front(99'000);
  EXPECT_EQ(large.data(), storage + 10) << "the large front was copied";
  EXPECT_EQ(buffer.size(), 990U);
}

TEST_F(BufferTest, MovesLeaveTheOtherEmpty) {
  Buffer one = of("one");
  Buffer two = std::move(one);
  EXPECT_EQ(two.view(), "one");
  Buffer three = of("three");
  three = std::move(two);
  EXPECT_EQ(three.view(), "one");
  Buffer& alias = three;
  three = std::move(alias);
  EXPECT_EQ(three.view(), "one");
}

// simdjson reads kPadding bytes behind the content; ASan tells where they are not allocated.
TEST_F(BufferTest, BytesBehindTheContentMayBeRead) {
  for (const size_t bytes : {1U, 4031U, 4032U, 4033U, 10'000U}) {
    Buffer buffer = of(std::string(bytes, 'p'));
    unsigned sum = 0;
    for (size_t i = 0; i < Buffer::kPadding; ++i) {
      buffer.data()[buffer.size() + i] = 'x';
      sum += static_cast<unsigned char>(buffer.data()[buffer.size() + i]);
    }
    EXPECT_EQ(sum, Buffer::kPadding * 'x');
  }
}

// A byte in, a byte out, for ever: neither the memory nor the time may grow.
TEST_F(BufferTest, AQueueThatNeverGetsEmptyDoesNotGrow) {
  Buffer buffer = of(std::string(60'000, 'q'));
  const size_t held = Buffer::bytes_held_by_thread();
  for (int i = 0; i < 1'000'000; ++i) {
    buffer.append("q");
    buffer.consume(1);
  }
  EXPECT_LE(Buffer::bytes_held_by_thread(), 4 * held);
  EXPECT_EQ(buffer.size(), 60'000U);
}

TEST_F(BufferTest, EachThreadCountsItsOwn) {
  const Buffer mine = of("mine");
  const size_t held = Buffer::bytes_held_by_thread();
  std::thread other([] {
    const Buffer theirs = of("theirs");
    EXPECT_EQ(Buffer::bytes_held_by_thread(), 4096U);
  });
  other.join();
  EXPECT_EQ(Buffer::bytes_held_by_thread(), held);
}

void change(Random& random, Buffer& buffer, std::string& model) {
  const size_t some = random.below(random.chance(10) ? 20'000 : 100);
  switch (random.below(7)) {
    case 0:
    case 1: {
      std::string more;
      while (more.size() < some) random.append_hex16(more);
      buffer.append(more);
      model += more;
      break;
    }
    case 2: {
      std::memset(buffer.make_room(some + 50), 'r', some + 50);
      buffer.commit(some);
      model.append(some, 'r');
      break;
    }
    case 3: {
      const size_t bytes = std::min(some, model.size());
      buffer.consume(bytes);
      model.erase(0, bytes);
      break;
    }
    case 4: {
      const size_t from = random.below(model.size() + 1);
      const size_t to = std::min(from + some, model.size());
      buffer.erase(from, to);
      model.erase(from, to - from);
      break;
    }
    case 5: {
      const size_t bytes = random.below(model.size() + 1);
      Buffer front = buffer.take_front(bytes);
      ASSERT_EQ(front.view(), std::string_view(model).substr(0, bytes));
      model.erase(0, bytes);
      if (random.chance(50)) {  // go on with the part that was cut off
        front.append(buffer.view());
        model.insert(0, front.view().substr(0, bytes));
        buffer = std::move(front);
      }
      break;
    }
    default:
      if (random.chance(10)) {
        buffer.clear();
        model.clear();
      }
  }
}

TEST_F(BufferTest, DoesWhatAStringWouldDo) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    Buffer buffer;
    std::string model;
    for (int step = 0; step < 300 && !HasFatalFailure(); ++step) {
      change(random, buffer, model);
      ASSERT_EQ(buffer.size(), model.size());
      ASSERT_TRUE(buffer.view() == model);
      if (model.size() > 500'000) {
        buffer.clear();
        model.clear();
      }
    }
  }
}

// On a thread of its own: what others have left behind is not seen.
TEST_F(BufferTest, AFewLargeOnesAreUsedAgain) {
  if (kAddressSanitizer)
    GTEST_SKIP() << "there everything is given back, so that each late use is seen";
  std::thread([] {
    const auto room_after = [](size_t left_behind, size_t wanted) {
      { Buffer().make_exact_room(left_behind); }
      Buffer buffer;
      buffer.append("begun");
      buffer.make_exact_room(wanted);
      EXPECT_EQ(buffer.view(), "begun");
      EXPECT_GE(Buffer::bytes_held_by_thread(), buffer.size() + buffer.room());
      return buffer.room();
    };
    EXPECT_GE(room_after(kMegabyte, kMegabyte / 2), kMegabyte - 5);
    EXPECT_LT(room_after(8 * kMegabyte, 2 * kMegabyte), 3 * kMegabyte);  // more than is kept
    {
      Buffer as_much;
      as_much.make_exact_room(8 * kMegabyte);
      EXPECT_GE(room_after(8 * kMegabyte, 2 * kMegabyte), 8 * kMegabyte - 5);
    }
    EXPECT_LT(room_after(5 * kMegabyte, 2 * kMegabyte), 3 * kMegabyte);
    EXPECT_EQ(Buffer::bytes_held_by_thread(), 0U);
  }).join();
}

TEST(BufferDeathTest, MoreThanThereIsIsRefused) {
  Buffer buffer;
  buffer.append("abc");
  EXPECT_DEATH(buffer.consume(4), "REQUIRE");
  EXPECT_DEATH(buffer.erase(2, 4), "REQUIRE");
  EXPECT_DEATH(buffer.erase(2, 1), "REQUIRE");
  EXPECT_DEATH(buffer.take_front(4), "REQUIRE");
  EXPECT_DEATH(buffer.commit(1'000'000), "REQUIRE");
}

}  // namespace
}  // namespace fnkit
