// What all calls of a core to functions have in common.
#pragma once

#include "fnkit/http/client_pool.hpp"
#include "fnkit/http/exclusive_pool.hpp"
#include "fnkit/observe/recorder.hpp"
#include "fnkit/server/settings.hpp"
#include "server/function_directory.hpp"

namespace fnkit::server {

struct Calling {
  const Settings& settings;
  ring::Ring& ring;
  Random& random;
  http::ClientPool& pool;
  http::ExclusivePool& streams;
  FunctionDirectory& functions;
  observe::CoreSeries& series;
};

// What this program adds to Via (RFC 9110 section 7.6.3), to know its own loops.
inline constexpr std::string_view kVia = "1.1 fnkit-orchestrator";
// How many orchestrators the request has come through already: Via members of our name.
size_t orchestrators_before(const http::Request& request);

// RFC 9110 section 9.2.2.
bool is_idempotent(std::string_view method);

// Which limit an error is about, as people set it; nothing where it is about none. It is counted.
// `step_is_first`: a step's time ends before its pipeline's.
std::string tell_limit(Calling& calling, http::CallError::Kind kind, bool step_is_first);

}  // namespace fnkit::server
