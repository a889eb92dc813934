// --otlp-endpoint: OpenTelemetry specification, protocol/exporter.md.
#include "fnkit/server/otlp_endpoint.hpp"

#include <gtest/gtest.h>

namespace fnkit {
namespace {

using server::OtlpEndpoint;

// "host port authority path"
std::string parsed(std::string_view url) {
  Result<OtlpEndpoint> to = OtlpEndpoint::parse(url);
  if (!to) return to.error().message;
  return to->endpoint.host + " " + std::to_string(to->endpoint.port) + " " + to->authority + " " +
         to->path;
}

TEST(OtlpEndpointTest, PortAndPathAreTheProtocolsWhereNoneIsSaid) {
  EXPECT_EQ(parsed("http://collector"), "collector 4318 collector:4318 /v1/traces");
  EXPECT_EQ(parsed("HTTP://collector:80/"), "collector 80 collector:80 /v1/traces");
  EXPECT_EQ(parsed("http://collector/base/"), "collector 4318 collector:4318 /base/v1/traces");
  EXPECT_EQ(parsed("http://collector:1/v1/traces"), "collector 1 collector:1 /v1/traces");
  EXPECT_EQ(parsed("http://[::1]:5/otlp/v1/traces/"), "::1 5 [::1]:5 /otlp/v1/traces");
}

TEST(OtlpEndpointTest, ItsTextIsWhereSpansReallyGo) {
  EXPECT_EQ(OtlpEndpoint::parse("http://collector").value().to_text(),
            "http://collector:4318/v1/traces");
}

TEST(OtlpEndpointTest, WhatIsNoEndpointIsToldWhy) {
  for (const char* bad :
       {"", "collector:4318", "ftp://collector", "http://", "http://:4318", "http:///v1/traces",
        "http://collector:0", "http://collector:65536", "http://collector:x", "http://a@collector",
        "http://collector/?q", "http://collector/#f", "http://collector /", "http://c\r\nX: y"}) {
    Result<OtlpEndpoint> to = OtlpEndpoint::parse(bad);
    ASSERT_FALSE(to) << bad;
    EXPECT_FALSE(to.error().message.empty());
  }
  EXPECT_EQ(parsed("collector:4318"), "does not begin with http://");
  EXPECT_NE(parsed("HTTPS://collector").find("collector on this machine"), std::string::npos);
}

}  // namespace
}  // namespace fnkit
