// Values as people write them: CONTRACT section 1.
#include "fnkit/cli/values.hpp"

#include <gtest/gtest.h>

namespace fnkit {
namespace {

using namespace std::chrono_literals;

TEST(ValuesTest, Durations) {
  const std::pair<const char*, Duration> kGood[] = {
      {"500ms", 500ms}, {"30s", 30s},     {"2m", 2min},     {"1h", 1h},         {"30", 30s},
      {"0", 0s},        {"0ms", 0ms},     {"007s", 7s},     {"87600h", 87600h}, {"500us", 500us},
      {"0.5ms", 500us}, {"1.5s", 1500ms}, {"1.25", 1250ms}, {"0.000001s", 1us}};
  for (const auto& [text, expected] : kGood) {
    Result<Duration> duration = cli::parse_duration(text);
    ASSERT_TRUE(duration) << text;
    EXPECT_EQ(*duration, expected) << text;
  }
  for (const char* bad : {"",       "s",    "ms",    "-1s",      "+1s",
                          "1.s",    ".5s",  "1.5us", "0.0001ms", "1.0000000s",
                          "1.5.5s", "1 s",  " 1s",   "1s ",      "1S",
                          "1d",     "0x10", "1e3",   "87601h",   "99999999999999999999s",
                          "s1",     "1s2"}) {
    Result<Duration> duration = cli::parse_duration(bad);
    ASSERT_FALSE(duration) << bad;
    EXPECT_TRUE(duration.error().message.starts_with("is no duration")) << bad;
  }
}

TEST(ValuesTest, Sizes) {
  const std::pair<const char*, size_t> kGood[] = {{"0", 0},
                                                  {"1", 1},
                                                  {"16KiB", 16384},
                                                  {"64MiB", 64UL << 20},
                                                  {"1.5MiB", 3UL << 19},
                                                  {"1GiB", 1UL << 30},
                                                  {"1024GiB", 1UL << 40}};
  for (const auto& [text, expected] : kGood) {
    Result<size_t> size = cli::parse_size(text);
    ASSERT_TRUE(size) << text;
    EXPECT_EQ(*size, expected) << text;
  }
  for (const char* bad : {"", "KiB", "-1", "1KB", "1kib", "1K", "1 KiB", "1025GiB",
                          "18446744073709551616", "1TiB", "0x10"}) {
    Result<size_t> size = cli::parse_size(bad);
    ASSERT_FALSE(size) << bad;
    EXPECT_TRUE(size.error().message.starts_with("is no size")) << bad;
  }
}

TEST(ValuesTest, Counts) {
  EXPECT_EQ(*cli::parse_count("64", 1), 64U);
  EXPECT_EQ(*cli::parse_count("0", 0), 0U);
  for (const char* bad : {"", "0", "-1", "1k", "1.0", "1000000001", "99999999999999999999"}) {
    EXPECT_FALSE(cli::parse_count(bad, 1)) << bad;
  }
}

TEST(ValuesTest, CoresAreTheFirstOfTheAffinityMask) {
  const std::vector<int> all = cli::allowed_cpus();
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(*cli::parse_cores("all"), all);
  EXPECT_EQ(*cli::parse_cores("1"), std::vector<int>{all.front()});
  EXPECT_EQ(*cli::parse_cores(std::to_string(all.size())), all);
  Result<std::vector<int>> too_many = cli::parse_cores(std::to_string(all.size() + 1));
  ASSERT_FALSE(too_many);
  EXPECT_NE(too_many.error().message.find("more than the " + std::to_string(all.size())),
            std::string::npos);
  for (const char* bad : {"0", "-1", "", "some"}) EXPECT_FALSE(cli::parse_cores(bad)) << bad;
}

}  // namespace
}  // namespace fnkit
