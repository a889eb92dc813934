// Prints exports, one a line, for checks by others: spans of both kinds with all that may be in
// them, random but the same each time.
#include <cstdio>

#include "fnkit/base/random.hpp"
#include "fnkit/observe/http_spans.hpp"

namespace {

using namespace fnkit::observe;

constexpr uint64_t kSomeTime = 1'700'000'000'000'000'000;

std::string any_text(fnkit::Random& random) {
  std::string text;
  const uint64_t count = random.below(20);
  for (uint64_t i = 0; i < count; ++i) {
    text += static_cast<char>(random.chance(30) ? random.below(256) : ' ' + random.below(95));
  }
  return text;
}

SpanId any_id(fnkit::Random& random) {
  std::string hex;
  random.append_hex16(hex);
  SpanId id;
  read_id(hex, id);
  return id;
}

SpanOrigin any_origin(fnkit::Random& random, std::string_view trace_state) {
  SpanOrigin origin;
  for (uint8_t& byte : origin.trace_id) byte = static_cast<uint8_t>(random.next() | 1);
  origin.span_id = any_id(random);
  if (random.chance(70)) origin.parent_span_id = any_id(random);
  origin.trace_state = trace_state;
  origin.sampled = random.chance(50);
  origin.start_unix_nanoseconds = kSomeTime + random.below(1'000'000'000);
  origin.end_unix_nanoseconds = origin.start_unix_nanoseconds + random.below(1'000'000'000);
  return origin;
}

Span any_span(fnkit::Random& random) {
  constexpr std::string_view kMethods[] = {"GET", "POST", "DELETE", "BREW"};
  constexpr int kStatuses[] = {0, 200, 404, 503};
  const std::string texts[] = {any_text(random), any_text(random), any_text(random),
                               any_text(random)};
  const SpanOrigin origin = any_origin(random, random.chance(50) ? "a=b,c=d" : "");
  const std::string_view method = kMethods[random.below(4)];
  const int status = kStatuses[random.below(4)];
  if (random.chance(50)) {
    return server_span({origin, method, texts[0], texts[1], texts[2], status});
  }
  return client_span({origin, texts[0], method, texts[1], static_cast<uint16_t>(random.next()),
                      texts[2], status, static_cast<NoAnswer>(random.below(7)), texts[3],
                      static_cast<unsigned>(random.below(3))});
}

}  // namespace

int main() {
  fnkit::Random random(1);
  for (size_t count = 1; count <= 50; ++count) {
    std::vector<Span> spans;
    for (size_t i = 0; i < count; ++i) spans.push_back(any_span(random));
    const Resource resource{any_text(random), any_text(random), any_text(random),
                            static_cast<int64_t>(random.below(4'000'000))};
    std::puts(to_otlp_json(spans, resource).c_str());
  }
}
