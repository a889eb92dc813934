// A request's spans: semantic-conventions, docs/http/http-spans.md.
#include "fnkit/observe/http_spans.hpp"

#include <gtest/gtest.h>

namespace fnkit {
namespace {

using observe::CalledStep;
using observe::NoAnswer;
using observe::ServedRequest;
using observe::Span;

// "name | key=value key=value | ERROR message"
std::string text_of(const Span& span) {
  std::string text = span.name + " |";
  for (const observe::Attribute& attribute : span.attributes) {
    ((text += ' ') += attribute.key) += '=';
    const auto* value = std::get_if<std::string>(&attribute.value);
    text += value != nullptr ? *value : std::to_string(std::get<int64_t>(attribute.value));
  }
  return text + (span.failed ? " | ERROR " + span.status_message : "");
}

observe::SpanOrigin origin() {
  observe::SpanOrigin from;
  from.trace_id[0] = 1;
  from.span_id[0] = 2;
  from.trace_state = "a=b";
  from.start_unix_nanoseconds = 10;
  from.end_unix_nanoseconds = 20;
  return from;
}

ServedRequest request() {
  return {.origin = origin(),
          .method = "POST",
          .path = "/orchestrate/p/suffix",
          .pipeline = "p",
          .request_id = "r",
          .status = 200};
}

CalledStep call() {
  return {.origin = origin(),
          .step = "resize",
          .method = "POST",
          .host = "resize",
          .port = 8080,
          .url = "http://resize:8080/suffix",
          .status = 200};
}

TEST(HttpSpansTest, WhereASpanComesFromIsCopied) {
  ServedRequest served = request();
  Span span = server_span(served);
  EXPECT_EQ(span.kind, Span::Kind::server);
  EXPECT_EQ(span.trace_id[0], 1);
  EXPECT_EQ(span.span_id[0], 2);
  EXPECT_EQ(span.trace_state, "a=b");
  EXPECT_EQ(span.start_unix_nanoseconds, 10U);
  EXPECT_EQ(span.end_unix_nanoseconds, 20U);
  EXPECT_EQ(span.flags, 0x101U);
  served.origin.parent_span_id[7] = 3;
  served.origin.sampled = false;
  span = server_span(served);
  EXPECT_EQ(span.parent_span_id[7], 3);
  EXPECT_EQ(span.flags, 0x300U) << "the caller's span is another process's";
  CalledStep called = call();
  called.origin.parent_span_id[7] = 3;
  span = client_span(called);
  EXPECT_EQ(span.kind, Span::Kind::client);
  EXPECT_EQ(span.parent_span_id[7], 3);
  EXPECT_EQ(span.flags, 0x101U) << "the request's span is this process's";
}

TEST(HttpSpansTest, ARequest) {
  EXPECT_EQ(text_of(server_span(request())),
            "POST /orchestrate/p | http.request.method=POST url.path=/orchestrate/p/suffix "
            "url.scheme=http http.route=/orchestrate/p http.response.status_code=200 "
            "fnkit.pipeline=p fnkit.request_id=r");
}

TEST(HttpSpansTest, ANameThatIsNoPipelineIsInNoNameOfASpan) {
  ServedRequest served = request();
  served.pipeline = {};
  served.status = 404;
  EXPECT_EQ(text_of(server_span(served)),
            "POST /orchestrate/{pipeline} | http.request.method=POST "
            "url.path=/orchestrate/p/suffix url.scheme=http http.route=/orchestrate/{pipeline} "
            "http.response.status_code=404 fnkit.request_id=r");
}

TEST(HttpSpansTest, AnUnknownMethodIsOther) {
  ServedRequest served = request();
  served.method = "post";
  const std::string text = text_of(server_span(served));
  EXPECT_EQ(text.substr(0, text.find(" url.path")),
            "HTTP /orchestrate/p | http.request.method=_OTHER http.request.method_original=post");
  CalledStep called = call();
  called.method = "BREW";
  EXPECT_EQ(text_of(client_span(called)).substr(0, 7), "HTTP | ");
}

// 4xx is the caller's error: its client span says so.
TEST(HttpSpansTest, WhichStatusesAreErrors) {
  ServedRequest served = request();
  CalledStep called = call();
  for (const int status : {200, 204, 302, 400, 404, 499, 500, 503, 599}) {
    served.status = called.status = status;
    const std::string error = " error.type=" + std::to_string(status);
    const std::string server = text_of(server_span(served));
    EXPECT_EQ(server.find(error) != std::string::npos, status >= 500) << server;
    EXPECT_EQ(server.ends_with("| ERROR "), status >= 500) << server;
    const std::string client = text_of(client_span(called));
    EXPECT_EQ(client.find(error) != std::string::npos, status >= 400) << client;
    EXPECT_EQ(client.ends_with("| ERROR "), status >= 400) << client;
  }
  served.status = 0;
  EXPECT_EQ(text_of(server_span(served)).find("status_code"), std::string::npos);
  EXPECT_FALSE(server_span(served).failed);
}

TEST(HttpSpansTest, ACallOfAStep) {
  EXPECT_EQ(text_of(client_span(call())),
            "POST | http.request.method=POST server.address=resize server.port=8080 "
            "url.full=http://resize:8080/suffix http.response.status_code=200 fnkit.step=resize");
  CalledStep called = call();
  called.host = "/run/resize.sock";
  called.port = 0;
  called.resend_count = 1;
  EXPECT_EQ(text_of(client_span(called)),
            "POST | http.request.method=POST server.address=/run/resize.sock "
            "url.full=http://resize:8080/suffix http.response.status_code=200 "
            "http.request.resend_count=1 fnkit.step=resize");
}

TEST(HttpSpansTest, NoAnswerIsAnErrorUnlessNobodyWantedOne) {
  CalledStep called = call();
  called.status = 0;
  called.detail = "why";
  const auto end = [&](NoAnswer why) {
    called.no_answer = why;
    const std::string text = text_of(client_span(called));
    constexpr std::string_view kUrl = "http://resize:8080/suffix";
    return text.substr(text.find(kUrl) + kUrl.size());
  };
  EXPECT_EQ(end(NoAnswer::timeout), " error.type=timeout fnkit.step=resize | ERROR why");
  EXPECT_EQ(end(NoAnswer::connect), " error.type=connect fnkit.step=resize | ERROR why");
  EXPECT_EQ(end(NoAnswer::reset), " error.type=reset fnkit.step=resize | ERROR why");
  EXPECT_EQ(end(NoAnswer::protocol), " error.type=protocol fnkit.step=resize | ERROR why");
  EXPECT_EQ(end(NoAnswer::shed), " error.type=shed fnkit.step=resize | ERROR why");
  EXPECT_EQ(end(NoAnswer::cancelled), " fnkit.step=resize");
}

}  // namespace
}  // namespace fnkit
