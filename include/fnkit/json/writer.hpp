// JSON text, put together piece by piece.
#pragma once

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

#include "fnkit/json/quote.hpp"

namespace fnkit::json {

// Sets commas and quotes; that every begin has its end, and that members have keys, is the caller's
// care. Texts may hold any bytes.
class Writer {
 public:
  Writer& begin_object() { return open('{'); }
  Writer& end_object() { return close('}'); }
  Writer& begin_array() { return open('['); }
  Writer& end_array() { return close(']'); }

  Writer& key(std::string_view name) {
    separate();
    append_quoted(out_, name);
    out_ += ':';
    first_ = true;
    return *this;
  }

  Writer& value(std::string_view text) {
    separate();
    append_quoted(out_, text);
    return *this;
  }
  Writer& value(const char* text) { return value(std::string_view(text)); }
  Writer& value(bool truth) { return raw(truth ? "true" : "false"); }
  Writer& null() { return raw("null"); }
  template <std::integral Number>
  Writer& value(Number number) {
    return raw(std::to_string(number));
  }
  // Not infinite, not NaN.
  Writer& value(double number) {
    char text[64];
    const auto [end, error] = std::to_chars(text, text + sizeof text, number);
    return raw(std::string_view(text, static_cast<size_t>(end - text)));
  }
  // `json` is a value already.
  Writer& raw(std::string_view json) {
    separate();
    out_ += json;
    return *this;
  }

  template <class Value>
  Writer& member(std::string_view name, const Value& member_value) {
    return key(name).value(member_value);
  }

  const std::string& text() const { return out_; }

 private:
  Writer& open(char bracket) {
    separate();
    out_ += bracket;
    first_ = true;
    return *this;
  }
  Writer& close(char bracket) {
    out_ += bracket;
    first_ = false;
    return *this;
  }
  void separate() {
    if (!first_) out_ += ',';
    first_ = false;
  }

  std::string out_;
  bool first_ = true;  // nothing stands before what comes next
};

}  // namespace fnkit::json
