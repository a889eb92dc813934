#include "fnkit/observe/log_writer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

namespace fnkit::observe {
namespace {

using std::chrono::steady_clock;

// Far beyond kPatience, far below for ever.
constexpr auto kSoon = std::chrono::seconds(5);

// A pipe of one page; its reading end does not wait.
struct SmallPipe {
  SmallPipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    reading = ends[0];
    writing = ends[1];
    ::fcntl(reading, F_SETFL, O_NONBLOCK);
    EXPECT_EQ(::fcntl(writing, F_SETPIPE_SZ, PIPE_BUF), PIPE_BUF);
  }
  ~SmallPipe() {
    close_reading();
    ::close(writing);
  }
  void close_reading() {
    if (reading >= 0) ::close(reading);
    reading = -1;
  }

  std::string read_what_is_there() const {
    std::string all;
    std::array<char, 8192> some{};
    ssize_t got = 0;
    while ((got = ::read(reading, some.data(), some.size())) > 0) {
      all.append(some.data(), static_cast<size_t>(got));
    }
    return all;
  }

  // Reads until `size` bytes came, or none for kSoon.
  std::string read_bytes(size_t size) const {
    std::string all;
    while (all.size() < size) {
      pollfd readable{reading, POLLIN, 0};
      if (::poll(&readable, 1, static_cast<int>(std::chrono::milliseconds(kSoon).count())) != 1) {
        break;
      }
      all += read_what_is_there();
    }
    return all;
  }

  int reading = -1;
  int writing = -1;
};

std::string numbered(size_t number) { return "line " + std::to_string(number) + "\n"; }

TEST(LogWriterTest, LinesComeInOrder) {
  SmallPipe pipe;
  LogWriter writer(pipe.writing);
  std::string expected;
  for (size_t i = 0; i < 100; ++i) {
    writer.write(numbered(i));
    expected += numbered(i);
  }
  EXPECT_EQ(pipe.read_bytes(expected.size()), expected);
  EXPECT_EQ(writer.dropped(), 0U);
}

TEST(LogWriterTest, AFlushWaitsForWhatCameBefore) {
  SmallPipe pipe;
  LogWriter writer(pipe.writing);
  const auto begin = steady_clock::now();
  for (size_t i = 0; i < 100; ++i) {
    writer.write(numbered(i));
    writer.flush();
    EXPECT_EQ(pipe.read_what_is_there(), numbered(i));
  }
  EXPECT_LT(steady_clock::now() - begin, kSoon);
}

TEST(LogWriterTest, ALineLongerThanAPipeComesWhole) {
  SmallPipe pipe;
  LogWriter writer(pipe.writing);
  const std::string line = std::string(10 * PIPE_BUF, 'x') + "\n";
  writer.write(line);
  EXPECT_EQ(pipe.read_bytes(line.size()), line);
}

TEST(LogWriterTest, APipeThatNobodyReadsHoldsUpNeitherCallersNorTheEnd) {
  SmallPipe pipe;
  LogWriter writer(pipe.writing);
  constexpr size_t kLines = 20'000;
  const auto begin = steady_clock::now();
  for (size_t i = 0; i < kLines; ++i) writer.write(numbered(i));
  writer.flush();
  EXPECT_GT(writer.dropped(), kLines / 2);
  writer.close();
  EXPECT_LT(steady_clock::now() - begin, kSoon);

  const std::string taken = pipe.read_what_is_there();
  const auto lines = static_cast<size_t>(std::count(taken.begin(), taken.end(), '\n'));
  EXPECT_EQ(taken.back(), '\n') << "a line came in part";
  EXPECT_EQ(lines + writer.dropped(), kLines);
}

TEST(LogWriterTest, WhenItIsReadAgainTheNewestLinesCome) {
  SmallPipe pipe;
  LogWriter writer(pipe.writing);
  constexpr size_t kLines = 3 * LogWriter::kLinesMax;
  for (size_t i = 0; i < kLines; ++i) writer.write(numbered(i));
  std::string all;
  while (all.find(numbered(kLines - 1)) == std::string::npos) {
    const std::string more = pipe.read_bytes(1);
    ASSERT_FALSE(more.empty()) << all.size() << " bytes came";
    all += more;
  }
  for (size_t i = kLines - LogWriter::kLinesMax + 1; i < kLines; ++i) {
    ASSERT_NE(all.find(numbered(i)), std::string::npos) << i;
  }
  writer.close();
  EXPECT_EQ(static_cast<size_t>(std::count(all.begin(), all.end(), '\n')) + writer.dropped(),
            kLines);
}

void fill_terminal(bool stopped) {
  const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  ASSERT_EQ(::grantpt(terminal), 0);
  ASSERT_EQ(::unlockpt(terminal), 0);
  const int line = ::open(::ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(line, 0);
  if (stopped) {
    ASSERT_EQ(::tcflow(line, TCOOFF), 0);
  }
  const auto begin = steady_clock::now();
  LogWriter writer(line);
  for (size_t i = 0; i < 20'000; ++i) writer.write(numbered(i));
  writer.close();
  EXPECT_LT(steady_clock::now() - begin, kSoon);
  EXPECT_GT(writer.dropped(), 0U);
  if (stopped) {
    EXPECT_EQ(::tcflow(line, TCOON), 0);
  }
  ::close(line);
  ::close(terminal);
}

TEST(LogWriterTest, ATerminalThatNobodyReadsHoldsUpNothing) { fill_terminal(false); }
TEST(LogWriterTest, AStoppedTerminalHoldsUpNothing) { fill_terminal(true); }

// What systemd gives is one.
TEST(LogWriterTest, ASocketThatNobodyReadsHoldsUpNothing) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const auto begin = steady_clock::now();
  LogWriter writer(ends[0]);
  const std::string line = std::string(1'000'000, 'x') + "\n";
  for (size_t i = 0; i < 10; ++i) writer.write(line);
  writer.close();
  EXPECT_LT(steady_clock::now() - begin, kSoon);
  EXPECT_EQ(writer.dropped(), 10U);
  for (const int end : ends) ::close(end);
}

TEST(LogWriterTest, WhatIsClosedAtTheOtherEndLosesLinesAndNothingElse) {
  std::signal(SIGPIPE, SIG_IGN);
  SmallPipe pipe;
  LogWriter writer(pipe.writing);
  writer.write(numbered(0));
  EXPECT_EQ(pipe.read_bytes(numbered(0).size()), numbered(0));
  pipe.close_reading();
  for (size_t i = 0; i < 100; ++i) writer.write(numbered(i));
  writer.flush();
  EXPECT_EQ(writer.dropped(), 100U);
}

TEST(LogWriterTest, ADescriptorThatIsNoneLosesLinesAndNothingElse) {
  LogWriter writer(-1);
  writer.write(numbered(0));
  writer.flush();
  EXPECT_EQ(writer.dropped(), 1U);
  writer.close();
  writer.write(numbered(1));
  writer.flush();
  EXPECT_EQ(writer.dropped(), 2U);
}

// The descriptor's flags are everybody's who shares it.
TEST(LogWriterTest, TheDescriptorStaysAsItWas) {
  SmallPipe pipe;
  {
    LogWriter writer(pipe.writing);
    writer.write(numbered(0));
  }
  EXPECT_EQ(::fcntl(pipe.writing, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_EQ(::write(pipe.writing, "x", 1), 1);
  EXPECT_EQ(pipe.read_what_is_there(), numbered(0) + "x");
}

TEST(LogWriterTest, ManyThreadsWriteWholeLines) {
  SmallPipe pipe;
  constexpr size_t kThreads = 4;
  constexpr size_t kEach = 400;
  LogWriter writer(pipe.writing);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < kThreads; ++t) {
    threads.emplace_back([&writer, t] {
      for (size_t i = 0; i < kEach; ++i) writer.write(numbered(10'000 + t * 1'000 + i));
    });
  }
  const size_t size = kThreads * kEach * numbered(10'000).size();
  const std::string all = pipe.read_bytes(size);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(all.size(), size);
  for (size_t i = 0; i < kThreads * kEach; ++i) {
    ASSERT_NE(all.find(numbered(10'000 + i / kEach * 1'000 + i % kEach)), std::string::npos) << i;
  }
}

}  // namespace
}  // namespace fnkit::observe
