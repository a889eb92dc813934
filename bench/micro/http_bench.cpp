// Messages in and out: the strict scan and llhttp, and what is written.
#include <string>

#include "fnkit/http/message_parser.hpp"
#include "fnkit/http/request_writer.hpp"
#include "http/response_writer.hpp"
#include "micro/measured.hpp"
#include "micro/messages.hpp"

namespace fnkit::bench {
namespace {

// The time includes that for the copy into the buffer, which a receive makes too.
template <class ReadOne>
void reading(benchmark::State& state, const std::string& message, ReadOne read_one) {
  measured(state, [&] {
    Buffer input;
    input.append(message);
    read_one(input);
  });
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(message.size()));
}

void http_read_request(benchmark::State& state) {
  http::RequestParser parser{http::MessageLimits()};
  reading(state, caller_request("process-order"), [&](Buffer& input) {
    const auto arrived = parser.advance(input);
    REQUIRE(arrived && *arrived == http::Arrived::all);
    benchmark::DoNotOptimize(parser.take(input));
  });
}
BENCHMARK(http_read_request)->Apply(as_asked);

void http_read_response(benchmark::State& state) {
  http::ResponseParser parser{http::MessageLimits()};
  reading(state, function_answer(100), [&](Buffer& input) {
    parser.begin(false);
    const auto arrived = parser.advance(input, false);
    REQUIRE(arrived && *arrived == http::Arrived::all);
    benchmark::DoNotOptimize(parser.take(input));
  });
}
BENCHMARK(http_read_response)->Apply(as_asked);

void http_write_request(benchmark::State& state) {
  measured(state, [] {
    http::RequestWriter writer;
    writer.begin("POST", "/", "", "validate-order:8080");
    writer.field("accept", "application/json");
    writer.field("content-type", "application/json");
    writer.field("x-request-id", "0123456789abcdef0123456789abcdef");
    writer.field("traceparent", "00-0123456789abcdef0123456789abcdef-0123456789abcdef-00");
    writer.field("via", "1.1 fnkit-orchestrator");
    benchmark::DoNotOptimize(writer.end("POST", 100));
  });
}
BENCHMARK(http_write_request)->Apply(as_asked);

void http_write_response(benchmark::State& state) {
  std::string head;
  measured(state, [&] {
    head.clear();
    http::append_head(head, {200, "application/json", "", "0123456789abcdef0123456789abcdef",
                             size_t{100}, true, 1});
    benchmark::DoNotOptimize(head.data());
  });
}
BENCHMARK(http_write_response)->Apply(as_asked);

}  // namespace
}  // namespace fnkit::bench
