// Spans as OTLP/HTTP JSON: opentelemetry-proto, trace.proto and docs/specification.md.
#include "fnkit/observe/otlp.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "fnkit/json/validate.hpp"

namespace fnkit {
namespace {

using observe::Resource;
using observe::Span;
using observe::to_otlp_json;

// The span of the specification's published example (opentelemetry-proto, examples/trace.json).
Span example() {
  Span span;
  observe::read_id("5B8EFFF798038103D269B633813FC60C", span.trace_id);
  observe::read_id("EEE19B7EC3C1B174", span.span_id);
  observe::read_id("EEE19B7EC3C1B173", span.parent_span_id);
  span.name = "I'm a server span";
  span.start_unix_nanoseconds = 1'544'712'660'000'000'000;
  span.end_unix_nanoseconds = 1'544'712'661'000'000'000;
  span.attributes = {{"my.span.attr", "some value"}};
  return span;
}

std::string spans_of(const std::string& json) {
  constexpr std::string_view kSpans = "\"spans\":";
  const size_t begin = json.find(kSpans) + kSpans.size();
  return json.substr(begin, json.size() - begin - std::string_view("}]}]}").size());
}

std::string json_of(const Span& span) {
  const std::string json = to_otlp_json({&span, 1}, {});
  EXPECT_TRUE(json::is_valid(json)) << json;
  return spans_of(json);
}

// The example's text, in the order of the messages' fields and with this program's names.
TEST(OtlpTest, ThePublishedExample) {
  const Span span = example();
  EXPECT_EQ(to_otlp_json({&span, 1}, {.service_version = "1.0.0"}),
            R"({"resourceSpans":[{"resource":{"attributes":[)"
            R"({"key":"service.name","value":{"stringValue":"fnkit-orchestrator"}},)"
            R"({"key":"service.version","value":{"stringValue":"1.0.0"}}]},)"
            R"("scopeSpans":[{"scope":{"name":"fnkit-orchestrator","version":"1.0.0"},)"
            R"("spans":[{"traceId":"5b8efff798038103d269b633813fc60c",)"
            R"("spanId":"eee19b7ec3c1b174","parentSpanId":"eee19b7ec3c1b173",)"
            R"("name":"I'm a server span","kind":2,)"
            R"("startTimeUnixNano":"1544712660000000000","endTimeUnixNano":"1544712661000000000",)"
            R"("attributes":[{"key":"my.span.attr","value":{"stringValue":"some value"}}]}]}]}]})");
}

TEST(OtlpTest, TheResourceTellsTheProcess) {
  const std::string json = to_otlp_json(
      {}, {.service_version = "2", .instance_id = "a", .host_name = "h", .process_id = 12});
  EXPECT_TRUE(json::is_valid(json));
  EXPECT_EQ(spans_of(json), "[]");
  EXPECT_NE(json.find(R"({"key":"service.instance.id","value":{"stringValue":"a"}},)"
                      R"({"key":"host.name","value":{"stringValue":"h"}},)"
                      R"({"key":"process.pid","value":{"intValue":"12"}}]},"scopeSpans")"),
            std::string::npos)
      << json;
}

TEST(OtlpTest, WhatHasItsDefaultIsLeftOut) {
  EXPECT_EQ(json_of({}),
            R"([{"traceId":"00000000000000000000000000000000","spanId":"0000000000000000",)"
            R"("name":"","kind":2,"startTimeUnixNano":"0","endTimeUnixNano":"0"}])");
}

TEST(OtlpTest, EveryField) {
  Span span;
  span.trace_id[15] = 1;
  span.span_id[0] = 0xf0;
  span.parent_span_id[7] = 2;
  span.kind = Span::Kind::client;
  span.name = "POST";
  span.start_unix_nanoseconds = 1;
  span.end_unix_nanoseconds = std::numeric_limits<uint64_t>::max();
  span.attributes = {{"a", std::numeric_limits<int64_t>::min()}, {"b", int64_t{0}}, {"c", ""}};
  span.failed = true;
  span.status_message = "why";
  span.trace_state = "a=b,c=d";
  span.flags = 1 | observe::kParentIsKnown | observe::kParentIsRemote;
  EXPECT_EQ(json_of(span),
            R"([{"traceId":"00000000000000000000000000000001","spanId":"f000000000000000",)"
            R"("parentSpanId":"0000000000000002","traceState":"a=b,c=d","flags":769,)"
            R"("name":"POST","kind":3,"startTimeUnixNano":"1",)"
            R"("endTimeUnixNano":"18446744073709551615","attributes":[)"
            R"({"key":"a","value":{"intValue":"-9223372036854775808"}},)"
            R"({"key":"b","value":{"intValue":"0"}},{"key":"c","value":{"stringValue":""}}],)"
            R"("status":{"message":"why","code":2}}])");
}

TEST(OtlpTest, AnyBytesInAnyStringMakeJson) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  Span span;
  span.name = span.trace_state = span.status_message = bytes;
  span.failed = true;
  span.attributes = {{"a", bytes}};
  const Span both[] = {span, span};
  EXPECT_TRUE(json::is_valid(to_otlp_json(both, {bytes, bytes, bytes, 1})));
}

TEST(OtlpTest, SpansStandInTheirOrder) {
  Span spans[2];
  spans[0].name = "first";
  spans[1].name = "second";
  const std::string json = spans_of(to_otlp_json(spans, {}));
  EXPECT_LT(json.find("first"), json.find("},{\"traceId\""));
  EXPECT_GT(json.find("second"), json.find("},{\"traceId\""));
}

}  // namespace
}  // namespace fnkit
