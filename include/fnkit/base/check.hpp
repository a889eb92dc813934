// Checks that stay on in release builds: a wrong state is worse than a stopped process.
#pragma once

namespace fnkit {

// Prints file, line, expression and what it says about who is wrong to stderr, then aborts.
[[noreturn]] void check_failed(const char* kind, const char* expression, const char* file,
                               int line) noexcept;

}  // namespace fnkit

// REQUIRE: the caller of this function broke its contract.
#define REQUIRE(expression)            \
  ((expression) ? static_cast<void>(0) \
                : ::fnkit::check_failed("REQUIRE", #expression, __FILE__, __LINE__))

// INVARIANT: this type or function itself is wrong.
#define INVARIANT(expression)          \
  ((expression) ? static_cast<void>(0) \
                : ::fnkit::check_failed("INVARIANT", #expression, __FILE__, __LINE__))
