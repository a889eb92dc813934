// W3C trace context, level 1: the vectors are those of its section 3.2 and its test suite.
#include "fnkit/server/trace_context.hpp"

#include <gtest/gtest.h>

#include <set>

namespace fnkit {
namespace {

using server::TraceContext;

constexpr std::string_view kTrace = "0af7651916cd43dd8448eb211c80319c";

TraceContext context_of(std::vector<http::HeaderField> headers, uint64_t seed = 1) {
  http::Request request;
  request.headers = headers;
  Random random(seed);
  return TraceContext::of(request, random, 0);
}

std::string trace_id_of(const TraceContext& context) {
  const std::array<char, 55> header = context.traceparent(1);
  return std::string(header.data(), header.size()).substr(3, 32);
}

bool continues(std::string_view traceparent) {
  return trace_id_of(context_of({{"traceparent", traceparent}})) == kTrace;
}

TEST(TraceContextTest, ACallersTraceGoesOnWithItsFlagAndAnewSpan) {
  const TraceContext context =
      context_of({{"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
                  {"TraceState", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"}});
  EXPECT_EQ(trace_id_of(context), kTrace);
  EXPECT_EQ(context.parent_span_id, 0xb7ad6b7169203331U);
  EXPECT_NE(context.span_id, context.parent_span_id);
  EXPECT_TRUE(context.sampled);
  EXPECT_EQ(context.tracestate, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
  const std::array<char, 55> child = context.traceparent(0xf067aa0ba902b7);
  EXPECT_EQ(std::string(child.data(), child.size()),
            "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01");
}

TEST(TraceContextTest, OnlyTheSampledFlagIsKnown) {
  const auto sampled = [](const char* flags) {
    const std::string parent = "00-" + std::string(kTrace) + "-b7ad6b7169203331-" + flags;
    return context_of({{"traceparent", parent}}).sampled;
  };
  EXPECT_FALSE(sampled("00"));
  EXPECT_TRUE(sampled("01"));
  EXPECT_FALSE(sampled("02"));
  EXPECT_TRUE(sampled("ff"));
  EXPECT_TRUE(sampled("0b"));
}

TEST(TraceContextTest, WhatIsMalformedBeginsANewTrace) {
  EXPECT_TRUE(continues("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"));
  EXPECT_TRUE(continues(" 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00\t"));
  // A higher version is read as far as it is known.
  EXPECT_TRUE(continues("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
  EXPECT_TRUE(continues("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future"));
  for (const char* bad : {"", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
                          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
                          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
                          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.",
                          "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what",
                          "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                          ".0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                          "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                          "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                          "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01",
                          "00-0af7651916cd43dd8448eb211c80319.-b7ad6b7169203331-01",
                          "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                          "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
                          "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01"}) {
    const TraceContext context = context_of({{"traceparent", bad}, {"tracestate", "a=1"}});
    EXPECT_NE(trace_id_of(context), kTrace) << bad;
    EXPECT_NE(context.trace_id[0], 0U) << bad;
    EXPECT_EQ(context.parent_span_id, 0U) << bad;
    EXPECT_FALSE(context.sampled) << bad;
    EXPECT_EQ(context.tracestate, "") << bad;
  }
}

TEST(TraceContextTest, ARepeatedTraceparentOrNoneBeginsANewTrace) {
  const std::string_view parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_NE(trace_id_of(context_of({{"traceparent", parent}, {"traceparent", parent}})), kTrace);
  EXPECT_EQ(context_of({{"tracestate", "a=1"}}).tracestate, "");
  std::set<std::string> fresh;
  for (uint64_t seed = 1; seed <= 20; ++seed) fresh.insert(trace_id_of(context_of({}, seed)));
  EXPECT_EQ(fresh.size(), 20U);
}

TEST(TraceContextTest, ATraceThatBeginsHereIsSampledAsOftenAsAskedFor) {
  http::Request request;
  Random random(1);
  EXPECT_FALSE(TraceContext::of(request, random, 0).sampled);
  EXPECT_TRUE(TraceContext::of(request, random, 1).sampled);
  int sampled = 0;
  for (int i = 0; i < 1000; ++i) sampled += TraceContext::of(request, random, 0.1).sampled ? 1 : 0;
  EXPECT_GT(sampled, 70);
  EXPECT_LT(sampled, 130);
  const std::vector<http::HeaderField> unsampled = {
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}};
  request.headers = unsampled;
  EXPECT_FALSE(TraceContext::of(request, random, 1).sampled);
}

TEST(TraceContextTest, ATracestateInSeveralHeadersIsOneListAndNotTooLong) {
  const std::string_view parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(
      context_of({{"traceparent", parent}, {"tracestate", "foo=1"}, {"tracestate", " bar=2 "}})
          .tracestate,
      "foo=1,bar=2");
  const std::string fits = "a=" + std::string(510, 'x');
  EXPECT_EQ(context_of({{"traceparent", parent}, {"tracestate", fits}}).tracestate, fits);
  const std::string longer = fits + "x";
  EXPECT_EQ(context_of({{"traceparent", parent}, {"tracestate", longer}}).tracestate, "");
}

}  // namespace
}  // namespace fnkit
