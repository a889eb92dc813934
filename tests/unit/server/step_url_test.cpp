// --step-url: CONTRACT section 1.
#include "fnkit/server/step_url.hpp"

#include <gtest/gtest.h>

namespace fnkit {
namespace {

using server::StepUrl;

// "host port authority path" for the step "resize".
std::string target(std::string_view url_template) {
  Result<StepUrl> url = StepUrl::parse(url_template);
  if (!url) return url.error().message;
  const StepUrl::Target to = url->target_of("resize");
  return to.host + " " + std::to_string(to.port) + " " + to.authority + " " + to.path;
}

TEST(StepUrlTest, TheStepsNameGoesWhereTheTemplateSays) {
  EXPECT_EQ(target("http://{step}:8080"), "resize 8080 resize:8080 ");
  EXPECT_EQ(target("http://{step}"), "resize 80 resize ");
  EXPECT_EQ(target("HTTP://{step}:8080/"), "resize 8080 resize:8080 ");
  EXPECT_EQ(target("http://{step}.fn.svc:80"), "resize.fn.svc 80 resize.fn.svc:80 ");
  EXPECT_EQ(target("http://gateway:8080/function/{step}"),
            "gateway 8080 gateway:8080 /function/resize");
  EXPECT_EQ(target("http://127.0.0.1:8080/{step}/v1/{step}/"),
            "127.0.0.1 8080 127.0.0.1:8080 /resize/v1/resize");
  EXPECT_EQ(target("http://[::1]:8080/{step}"), "::1 8080 [::1]:8080 /resize");
}

TEST(StepUrlTest, WhatIsNoTemplateIsToldWhy) {
  for (const char* bad :
       {"", "{step}:8080", "https://{step}:8080", "ftp://{step}", "http://gateway:8080",
        "http://{Step}", "http://:8080/{step}", "http:///{step}", "http://{step}:0",
        "http://{step}:65536", "http://{step}:x", "http://user@{step}", "http://{step}/?q",
        "http://{step}/#f", "http://{step} /", "http://{step}/\xc3\xbc", "http://{step}\r\nX: y"}) {
    Result<StepUrl> url = StepUrl::parse(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_FALSE(url.error().message.empty());
  }
  EXPECT_EQ(target("gateway"), "does not begin with http://");
  EXPECT_EQ(target("http://gateway"), "does not contain {step}");
}

}  // namespace
}  // namespace fnkit
