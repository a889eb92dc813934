// The pages that say how the program is.
#pragma once

#include <optional>

#include "fnkit/http/message.hpp"
#include "fnkit/store/store.hpp"

namespace fnkit::server {

struct Health {
  bool loaded = false;                           // the pipelines have been read
  bool draining = false;                         // it is about to end
  const store::FollowerStatus* store = nullptr;  // null: nothing has been told yet
  Instant now{};
  bool details = false;  // the asker may see more than whether it is ready
};

// The answer for /health, /livez, /readyz and /, which ask for no token; nothing for other paths.
// `path` is the target without its query. /readyz?verbose says what it goes by, a line each, to
// those who may see details (what is stored is not for everybody).
std::optional<http::Response> health_page(const http::Request& request, std::string_view path,
                                          const Health& health);

// /metrics, /observe and what is below it: what all cores did, which the control thread tells.
bool is_observed(std::string_view path);

// 405 for all methods but GET and HEAD, or the answer to OPTIONS.
std::optional<http::Response> refuse_other_methods(const http::Request& request);

// The target up to its query.
std::string_view path_of(std::string_view target);

}  // namespace fnkit::server
