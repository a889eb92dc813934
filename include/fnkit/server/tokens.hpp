// Bearer tokens: who may call.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fnkit/base/result.hpp"

namespace fnkit::server {

// Immutable. Without a token everybody may call (open mode).
class Tokens {
 public:
  Tokens() = default;
  explicit Tokens(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {}

  // One token a line; spaces around it and empty lines are ignored. A file without any is an error:
  // it would open what was meant to be closed. Errors go on where the quoted path ends.
  static Result<Tokens> read_file(const std::string& path);

  bool open_mode() const { return tokens_.empty(); }

  // `authorization` is the header's value. The scheme ignores case (RFC 9110 section 11.1), the
  // token does not; the time taken tells nothing about any token but the longest one's length.
  bool accept(std::optional<std::string_view> authorization) const;

 private:
  std::vector<std::string> tokens_;
};

}  // namespace fnkit::server
