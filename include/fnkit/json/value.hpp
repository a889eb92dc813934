// A JSON text as a tree to read from: for configuration, not for bodies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fnkit/base/result.hpp"

namespace fnkit::json {

enum class Kind { null, boolean, number, string, array, object };

// With its article, for messages: "null", "a boolean", …, "an array", "an object".
std::string_view name_of(Kind kind);

struct Member;

// One value and all that it holds; never changes once parsed. Owns its bytes: the text it was
// parsed from may go. Every accessor may be called on every kind and has an answer for the wrong
// one, so that reading a config written by anyone cannot stop the process.
class Value {
 public:
  Value() = default;  // null

  Kind kind() const { return static_cast<Kind>(state_.index()); }

  // Nothing, or nullptr, where the value is of another kind.
  std::optional<bool> as_boolean() const;
  const std::string* as_string() const;  // UTF-8; may contain NUL
  // The number as it was written, any magnitude.
  std::optional<std::string_view> as_number_text() const;
  // The nearest double; nothing where it is too large, or too near 0, for one.
  std::optional<double> as_double() const;
  // A whole number from 0 up, however written (1000, 1e3, 1000.0); nothing for others, nor beyond
  // 2^64-1 written in plain digits, or beyond 2^53-1 written otherwise.
  std::optional<uint64_t> as_unsigned() const;

  // In the order of the text; empty for other kinds.
  std::span<const Value> elements() const;
  // In the order of the text, with every duplicate; empty for other kinds.
  std::span<const Member> members() const;

  // The last member of that name, which is the one JSON.parse keeps; nullptr where there is none or
  // this is no object. Takes time linear in the number of members.
  const Value* find(std::string_view key) const;
  // The first name that a later member repeats; nullptr where all differ.
  const std::string* duplicate_key() const;

  // Where the value stood in the text it was parsed from, in bytes: for cutting it out unchanged
  // (a "fallback"), and for place().
  size_t source_offset() const { return source_offset_; }
  size_t source_bytes() const { return source_bytes_; }

 private:
  friend class Parser;
  struct Number {
    std::string text;
  };
  using Array = std::vector<Value>;
  using Object = std::vector<Member>;

  // In the order of Kind.
  std::variant<std::monostate, bool, Number, std::string, Array, Object> state_;
  size_t source_offset_ = 0;
  size_t source_bytes_ = 0;
};

struct Member {
  std::string key;
  Value value;
};

// The whole of `text` as one value, by the grammar of is_valid() but with at most `depth_max`
// arrays and objects open at once; depth_max is at most kDepthMax of validate.hpp. An escape that
// names a lone surrogate, which UTF-8 cannot hold, becomes U+FFFD.
// The error says where and what: `line 3, column 7: expected ',' or ']', found '}'`.
Result<Value> parse(std::string_view text, size_t depth_max);

// "line L, column C" of a byte of `text`, both from 1; a column is a character (code point), a line
// ends with \n. An offset past the end means the end.
std::string place(std::string_view text, size_t offset);

}  // namespace fnkit::json
