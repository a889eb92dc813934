#include "fnkit/observe/otlp.hpp"

#include <algorithm>

#include "fnkit/base/check.hpp"
#include "fnkit/base/text.hpp"
#include "fnkit/json/quote.hpp"

namespace fnkit::observe {
namespace {

constexpr std::string_view kName = "fnkit-orchestrator";
constexpr size_t kSpanBytes = 1024;

bool is_set(std::span<const uint8_t> id) {
  return std::any_of(id.begin(), id.end(), [](uint8_t byte) { return byte != 0; });
}

// Writes one JSON text, commas included: what follows a value has one before it.
class JsonWriter {
 public:
  explicit JsonWriter(size_t bytes) { out_.reserve(bytes); }

  JsonWriter& open(char bracket) {
    separate();
    out_ += bracket;
    return *this;
  }
  JsonWriter& close(char bracket) {
    out_ += bracket;
    return *this;
  }
  // A literal that needs no escaping.
  JsonWriter& key(std::string_view name) {
    separate();
    ((out_ += '"') += name) += "\":";
    return *this;
  }
  void text(std::string_view value) {
    separate();
    json::append_quoted(out_, value);
  }
  void number(uint64_t value) {
    separate();
    out_ += std::to_string(value);
  }
  // 64 bits are decimal strings, whatever their value: a JSON number is a double to many.
  template <class Integer>
  void wide_number(Integer value) {
    separate();
    ((out_ += '"') += std::to_string(value)) += '"';
  }
  void id(std::span<const uint8_t> bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    separate();
    out_ += '"';
    for (const uint8_t byte : bytes) {
      out_ += kDigits[byte >> 4];
      out_ += kDigits[byte & 15];
    }
    out_ += '"';
  }
  std::string take() { return std::move(out_); }

 private:
  void separate() {
    if (out_.empty()) return;
    const char last = out_.back();
    if (last != '{' && last != '[' && last != ':') out_ += ',';
  }

  std::string out_;
};

void write(JsonWriter& json, const Attribute& attribute) {
  json.open('{').key("key").text(attribute.key);
  json.key("value").open('{');
  if (const auto* text = std::get_if<std::string>(&attribute.value)) {
    json.key("stringValue").text(*text);
  } else {
    json.key("intValue").wide_number(std::get<int64_t>(attribute.value));
  }
  json.close('}').close('}');
}

void write(JsonWriter& json, std::span<const Attribute> attributes) {
  json.key("attributes").open('[');
  for (const Attribute& attribute : attributes) write(json, attribute);
  json.close(']');
}

void write(JsonWriter& json, const Resource& resource) {
  std::vector<Attribute> attributes = {{"service.name", std::string(kName)}};
  const auto add = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) attributes.push_back({key, value});
  };
  add("service.version", resource.service_version);
  add("service.instance.id", resource.instance_id);
  add("host.name", resource.host_name);
  if (resource.process_id != 0) attributes.push_back({"process.pid", resource.process_id});
  json.key("resource").open('{');
  write(json, attributes);
  json.close('}');
}

// What has its default value is left out, as proto3 has it.
void write(JsonWriter& json, const Span& span) {
  json.open('{').key("traceId").id(span.trace_id);
  json.key("spanId").id(span.span_id);
  if (is_set(span.parent_span_id)) json.key("parentSpanId").id(span.parent_span_id);
  if (!span.trace_state.empty()) json.key("traceState").text(span.trace_state);
  if (span.flags != 0) json.key("flags").number(span.flags);
  json.key("name").text(span.name);
  json.key("kind").number(static_cast<uint64_t>(span.kind));
  json.key("startTimeUnixNano").wide_number(span.start_unix_nanoseconds);
  json.key("endTimeUnixNano").wide_number(span.end_unix_nanoseconds);
  if (!span.attributes.empty()) write(json, span.attributes);
  if (span.failed) {
    constexpr uint64_t kStatusCodeError = 2;
    json.key("status").open('{');
    if (!span.status_message.empty()) json.key("message").text(span.status_message);
    json.key("code").number(kStatusCodeError);
    json.close('}');
  }
  json.close('}');
}

}  // namespace

void read_id(std::string_view hex, std::span<uint8_t> id) {
  REQUIRE(hex.size() == 2 * id.size());
  for (size_t i = 0; i < id.size(); ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    REQUIRE(high >= 0 && low >= 0);
    id[i] = static_cast<uint8_t>(high * 16 + low);
  }
}

std::string to_otlp_json(std::span<const Span> spans, const Resource& resource) {
  JsonWriter json(kSpanBytes * (spans.size() + 1));
  json.open('{').key("resourceSpans").open('[').open('{');
  write(json, resource);
  json.key("scopeSpans").open('[').open('{').key("scope").open('{');
  json.key("name").text(kName);
  if (!resource.service_version.empty()) json.key("version").text(resource.service_version);
  json.close('}').key("spans").open('[');
  for (const Span& span : spans) write(json, span);
  json.close(']').close('}').close(']').close('}').close(']').close('}');
  return json.take();
}

}  // namespace fnkit::observe
