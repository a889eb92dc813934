#include "fnkit/base/log.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

namespace fnkit {
namespace {

constexpr std::string_view kTime = "2026-01-02T03:04:05.000006Z";

std::string line(LogFormat format, std::string_view message, std::string_view value) {
  const LogField field{"key", value};
  return format_log_line(format, kTime, LogLevel::warning, "net", message, {&field, 1});
}

TEST(LogTest, ALineOfLogfmt) {
  EXPECT_EQ(line(LogFormat::logfmt, "it happened", "plain"),
            "ts=2026-01-02T03:04:05.000006Z level=warning source=net msg=\"it happened\" "
            "key=plain\n");
  EXPECT_EQ(format_log_line(LogFormat::logfmt, kTime, LogLevel::info, "x", "m", {}),
            "ts=2026-01-02T03:04:05.000006Z level=info source=x msg=\"m\"\n");
}

TEST(LogTest, ALineOfJson) {
  EXPECT_EQ(line(LogFormat::json, "it happened", "plain"),
            "{\"ts\":\"2026-01-02T03:04:05.000006Z\",\"level\":\"warning\",\"source\":\"net\","
            "\"msg\":\"it happened\",\"key\":\"plain\"}\n");
}

TEST(LogTest, NoValueForgesALineOrAField) {
  struct Case {
    std::string_view value;
    std::string_view logfmt;
    std::string_view json;
  };
  using namespace std::string_view_literals;
  const Case cases[] = {
      {"", "\"\"", "\"\""},
      {"two words", "\"two words\"", "\"two words\""},
      {"x level=error", "\"x level=error\"", "\"x level=error\""},
      {"a=b", "\"a=b\"", "\"a=b\""},
      {"say \"hi\"", "\"say \\\"hi\\\"\"", "\"say \\\"hi\\\"\""},
      {"back\\slash", "\"back\\\\slash\"", "\"back\\\\slash\""},
      {"x\nts=1 level=error", "\"x\\nts=1 level=error\"", "\"x\\nts=1 level=error\""},
      {"\r\t\x1b[31m", "\"\\u000d\\u0009\\u001b[31m\"", "\"\\u000d\\u0009\\u001b[31m\""},
      {"nul\0byte"sv, "\"nul\\u0000byte\"", "\"nul\\u0000byte\""},
      {"\x7f", "\"\\u007f\"", "\"\\u007f\""},
      {"gr\xC3\xBC\xC3\x9F", "\"gr\xC3\xBC\xC3\x9F\"", "\"gr\xC3\xBC\xC3\x9F\""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(line(LogFormat::logfmt, "m", c.value),
              std::string("ts=2026-01-02T03:04:05.000006Z level=warning source=net msg=\"m\" key=")
                  .append(c.logfmt)
                  .append("\n"));
    EXPECT_EQ(line(LogFormat::json, "m", c.value),
              std::string("{\"ts\":\"2026-01-02T03:04:05.000006Z\",\"level\":\"warning\","
                          "\"source\":\"net\",\"msg\":\"m\",\"key\":")
                  .append(c.json)
                  .append("}\n"));
  }
}

// A request's bytes are logged as they came; a line must stay JSON, which is UTF-8, all the same.
TEST(LogTest, WhatIsNoUtf8IsReplaced) {
  struct Case {
    std::string_view value;
    std::string_view written;
  };
  const Case cases[] = {
      {"\xFF", "\\ufffd"},
      {"a\xC3", "a\\ufffd"},
      {"\xC3(", "\\ufffd("},
      {"\xC0\xAF", "\\ufffd\\ufffd"},                        // overlong
      {"\xED\xA0\x80", "\\ufffd\\ufffd\\ufffd"},             // a surrogate
      {"\xF4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},  // beyond U+10FFFF
      {"\xE2\x82\xAC\xF0\x9F\x98\x80", "\xE2\x82\xAC\xF0\x9F\x98\x80"},
      {"\xC2\x9B", "\\u009b"},  // a terminal takes CSI for an escape
  };
  for (const Case& c : cases) {
    for (const LogFormat format : {LogFormat::logfmt, LogFormat::json}) {
      const std::string written = line(format, "m", c.value);
      EXPECT_NE(written.find("\"" + std::string(c.written) + "\""), std::string::npos) << written;
    }
  }
}

TEST(LogTest, EveryLineIsOneLine) {
  std::string every_byte;
  for (int c = 0; c < 256; ++c) every_byte += static_cast<char>(c);
  for (const LogFormat format : {LogFormat::logfmt, LogFormat::json}) {
    const std::string written = line(format, every_byte, every_byte);
    EXPECT_EQ(std::count(written.begin(), written.end(), '\n'), 1);
    EXPECT_EQ(written.back(), '\n');
    for (const char c : written.substr(0, written.size() - 1)) {
      EXPECT_GE(static_cast<unsigned char>(c), 0x20);
    }
  }
}

struct Kept : LogSink {
  void write(LogLevel level, std::string_view source, std::string_view message,
             std::span<const LogField> fields) override {
    lines.push_back(format_log_line(LogFormat::logfmt, kTime, level, source, message, fields));
  }
  void flush() override { ++flushes; }

  std::vector<std::string> lines;
  int flushes = 0;
};

TEST(LogTest, WhileASinkIsSetItGetsTheEvents) {
  Kept sink;
  set_log_sink(&sink);
  testing::internal::CaptureStderr();
  log_event(LogLevel::warning, "net", "it happened", {{"key", "value"}});
  flush_log();
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(sink.lines, std::vector{line(LogFormat::logfmt, "it happened", "value")});
  EXPECT_EQ(sink.flushes, 1);

  set_log_sink(nullptr);
  testing::internal::CaptureStderr();
  log_event(LogLevel::error, "net", "it happened again");
  flush_log();
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_NE(written.find(" level=error source=net msg=\"it happened again\"\n"), std::string::npos)
      << written;
  EXPECT_EQ(sink.lines.size(), 1U);
}

TEST(LogTest, ATimestampHasMicroseconds) {
  const std::string now = log_timestamp();
  ASSERT_EQ(now.size(), kTime.size()) << now;
  for (size_t i = 0; i < now.size(); ++i) {
    const bool digit = kTime[i] >= '0' && kTime[i] <= '9';
    EXPECT_TRUE(digit ? now[i] >= '0' && now[i] <= '9' : now[i] == kTime[i]) << now;
  }
}

TEST(LogTest, TheJournalIsKnownByItsDeviceAndInode) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  struct stat status {};
  ASSERT_EQ(::fstat(ends[1], &status), 0);
  const std::string device = std::to_string(status.st_dev);
  const std::string inode = std::to_string(status.st_ino);
  EXPECT_TRUE(is_journal_stream(ends[1], (device + ":" + inode).c_str()));
  EXPECT_FALSE(is_journal_stream(ends[1], (device + ":" + inode + "0").c_str()));
  EXPECT_FALSE(is_journal_stream(ends[1], inode.c_str()));
  EXPECT_FALSE(is_journal_stream(ends[1], ""));
  EXPECT_FALSE(is_journal_stream(ends[1], nullptr));
  for (const int end : ends) ::close(end);
  EXPECT_FALSE(is_journal_stream(ends[1], (device + ":" + inode).c_str()));
}

TEST(LogTest, PrioritiesAreThoseOfSyslog) {
  EXPECT_EQ(journal_priority(LogLevel::error), "<3>");
  EXPECT_EQ(journal_priority(LogLevel::warning), "<4>");
  EXPECT_EQ(journal_priority(LogLevel::info), "<6>");
}

}  // namespace
}  // namespace fnkit
