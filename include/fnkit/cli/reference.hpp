// The command line, told to others than --help: for the package.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fnkit::cli {

// The whole command line as `form` wants it; nullopt where there is no such form.
//   commands   a list for a manual page, scdoc(5)
//   settings   of `serve`, the same
//   defaults   of `serve`, as /etc/default: each variable as a comment with its default
//   bash, zsh, fish   completions
std::optional<std::string> reference(std::string_view form);

}  // namespace fnkit::cli
