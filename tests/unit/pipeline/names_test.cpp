// Which names functions and pipelines may have: CONTRACT sections 3 and 5, HTTP.md 6.3.
#include <gtest/gtest.h>

#include "fnkit/pipeline/plan.hpp"

namespace fnkit {
namespace {

using pipeline::check_step_name;
using pipeline::is_pipeline_name;

TEST(NamesTest, NamesOfDnsAndOfContainersAreFunctions) {
  for (const std::string name :
       {"a", "resize-image", "resize_image", "Resize2", "2fast", "a.b.example.com", "my_app-web-1",
        "1a.2.3.4", "127.0.0.1.nip.io", "0xg", "deadbeef.x", "1.2.3.4a", "a..b", "host.",
        "localhost", "metadata.google.internal"}) {
    EXPECT_TRUE(check_step_name(name)) << name;
  }
  EXPECT_TRUE(check_step_name(std::string(253, 'a')));
  EXPECT_FALSE(check_step_name(std::string(254, 'a')));
}

TEST(NamesTest, NoSpellingOfAnAddressIsAFunction) {
  for (const char* name : {"127.0.0.1",
                           "127.1",
                           "127.0.1",
                           "2130706433",
                           "0x7f.1",
                           "0x7f000001",
                           "0X7F.0.0.1",
                           "0177.0.0.1",
                           "017700000001",
                           "169.254.169.254",
                           "0xa9fea9fe",
                           "0",
                           "00",
                           "1",
                           "0.0.0.0",
                           "127.0.0.1.",
                           "127.1.",
                           "1.2.3.4.5",
                           "999.999.999.999",
                           "0x7f.0x0.0x0.0x1",
                           "0x"}) {
    Result<void> checked = check_step_name(name);
    ASSERT_FALSE(checked) << name;
    EXPECT_NE(checked.error().message.find(name), std::string::npos) << checked.error().message;
    EXPECT_NE(checked.error().message.find("IP address"), std::string::npos);
  }
}

TEST(NamesTest, WhatCouldLeadElsewhereIsNoFunction) {
  using std::string_literals::operator""s;
  for (const std::string& name : {"evil.com/x?"s,
                                  "a@b"s,
                                  "a:22"s,
                                  "[::1]"s,
                                  "::1"s,
                                  ".."s,
                                  "."s,
                                  ".a"s,
                                  "-a"s,
                                  "_a"s,
                                  ""s,
                                  "a\r\nX: y"s,
                                  "a\0b"s,
                                  "a%2fb"s,
                                  "b\xc3\xbc"
                                  "cher"s,
                                  "a b"s,
                                  " a"s,
                                  "a#b"s,
                                  "a\\b"s,
                                  "http://a"s,
                                  "a,b"s,
                                  "\xef\xbc\x91.1.1.1"s}) {
    EXPECT_FALSE(check_step_name(name)) << name;
  }
}

TEST(NamesTest, PipelineNamesAreWhatAPathSegmentHoldsUnescaped) {
  for (const std::string name : {"a", "A-z_0.9~", "@", "a:b", "!$&'()*+,;=-", "..", "127.0.0.1"}) {
    EXPECT_TRUE(is_pipeline_name(name)) << name;
  }
  EXPECT_TRUE(is_pipeline_name(std::string(128, 'a')));
  EXPECT_FALSE(is_pipeline_name(std::string(129, 'a')));
  for (const std::string name : {"", "a b", "a/b", "a%20b", "a?b", "a#b", "\xc3\xbc", "a\n"}) {
    EXPECT_FALSE(is_pipeline_name(name)) << name;
  }
}

TEST(NamesTest, ASlipOfThePenIsToldItsNearestKey) {
  EXPECT_EQ(pipeline::nearest_key("step"), "steps");
  EXPECT_EQ(pipeline::nearest_key("Steps"), "steps");
  EXPECT_EQ(pipeline::nearest_key("mod"), "mode");
  EXPECT_EQ(pipeline::nearest_key("entirely-else"), "");
}

}  // namespace
}  // namespace fnkit
