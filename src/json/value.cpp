#include "fnkit/json/value.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_set>

#include "fnkit/base/text.hpp"

namespace fnkit::json {

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::null: return "null";
    case Kind::boolean: return "a boolean";
    case Kind::number: return "a number";
    case Kind::string: return "a string";
    case Kind::array: return "an array";
    case Kind::object: return "an object";
  }
  return "null";
}

std::optional<bool> Value::as_boolean() const {
  const bool* boolean = std::get_if<bool>(&state_);
  return boolean == nullptr ? std::nullopt : std::optional(*boolean);
}

const std::string* Value::as_string() const { return std::get_if<std::string>(&state_); }

std::optional<std::string_view> Value::as_number_text() const {
  const Number* number = std::get_if<Number>(&state_);
  return number == nullptr ? std::nullopt : std::optional<std::string_view>(number->text);
}

std::optional<double> Value::as_double() const {
  const std::optional<std::string_view> text = as_number_text();
  if (!text) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  return error == std::errc() ? std::optional(number) : std::nullopt;
}

std::optional<uint64_t> Value::as_unsigned() const {
  const std::optional<std::string_view> text = as_number_text();
  if (!text) return std::nullopt;
  if (const std::optional<uint64_t> plain = parse_decimal(*text)) return plain;
  constexpr double kExactMax = 9007199254740991;  // above it, a double stands for several
  const std::optional<double> number = as_double();
  if (!number || *number < 0 || *number > kExactMax) return std::nullopt;
  const auto whole = static_cast<uint64_t>(*number);
  return static_cast<double>(whole) == *number ? std::optional(whole) : std::nullopt;
}

std::span<const Value> Value::elements() const {
  const Array* array = std::get_if<Array>(&state_);
  return array == nullptr ? std::span<const Value>() : std::span<const Value>(*array);
}

std::span<const Member> Value::members() const {
  const Object* object = std::get_if<Object>(&state_);
  return object == nullptr ? std::span<const Member>() : std::span<const Member>(*object);
}

const Value* Value::find(std::string_view key) const {
  const std::span<const Member> all = members();
  const auto last = std::find_if(all.rbegin(), all.rend(),
                                 [&](const Member& member) { return member.key == key; });
  return last == all.rend() ? nullptr : &last->value;
}

const std::string* Value::duplicate_key() const {
  std::unordered_set<std::string_view> seen;
  for (const Member& member : members()) {
    if (!seen.insert(member.key).second) return &member.key;
  }
  return nullptr;
}

}  // namespace fnkit::json
