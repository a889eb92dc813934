// Errors are values: a Result holds either what was asked for or why it could not be had.
#pragma once

#include <cstring>
#include <string>
#include <utility>
#include <variant>

#include "fnkit/base/check.hpp"

namespace fnkit {

// Why something could not be done. `code` is an errno value (positive), or 0 where the system had
// no part in it; `message` is a sentence for a person, without a final stop.
struct Error {
  std::string message;
  int code = 0;

  // "what: strerror(code)". `code` is a positive errno value.
  static Error from_errno(int code, std::string_view what) {
    std::string text(what);
    text += ": ";
    text += std::strerror(code);
    return Error{std::move(text), code};
  }
};

// Either a T or an E. Test it before value() or error(); the other way round is a failed REQUIRE.
template <class T, class E = Error>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return state_.index() == 0; }

  T& value() & {
    REQUIRE(state_.index() == 0);
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    REQUIRE(state_.index() == 0);
    return *std::get_if<0>(&state_);
  }
  T value() && {
    REQUIRE(state_.index() == 0);
    return std::move(*std::get_if<0>(&state_));
  }

  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  E& error() & {
    REQUIRE(state_.index() == 1);
    return *std::get_if<1>(&state_);
  }
  const E& error() const& {
    REQUIRE(state_.index() == 1);
    return *std::get_if<1>(&state_);
  }

 private:
  std::variant<T, E> state_;
};

// Success without a value, or an E.
template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;
  Result(E error) : error_(std::in_place_index<1>, std::move(error)) {}

  explicit operator bool() const { return error_.index() == 0; }

  E& error() & {
    REQUIRE(error_.index() == 1);
    return *std::get_if<1>(&error_);
  }
  const E& error() const& {
    REQUIRE(error_.index() == 1);
    return *std::get_if<1>(&error_);
  }

 private:
  std::variant<std::monostate, E> error_;
};

}  // namespace fnkit
