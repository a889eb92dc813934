// How a step's function is really called: address, headers, limits.
#pragma once

#include <unordered_map>

#include "fnkit/http/client_pool.hpp"
#include "fnkit/http/request_writer.hpp"
#include "fnkit/http/spare_connections.hpp"
#include "fnkit/pipeline/run.hpp"
#include "fnkit/server/settings.hpp"
#include "fnkit/server/trace_context.hpp"
#include "server/router.hpp"

namespace fnkit::server {

// What this program adds to Via (RFC 9110 section 7.6.3), to know its own loops.
inline constexpr std::string_view kVia = "1.1 fnkit-orchestrator";

// RFC 9110 section 9.2.2.
bool is_idempotent(std::string_view method);

// Where the function of a step is.
http::Endpoint endpoint_of(const Settings& settings, const std::string& step);

// What one core knows of functions; made once.
class FunctionDirectory {
 public:
  // All must outlive it.
  FunctionDirectory(const Settings& settings, http::ClientPool& pool, observe::CoreSeries& series)
      : settings_(settings), pool_(pool), series_(series) {}

  struct Function {
    http::Upstream* upstream;
    observe::StepSeries* series;
    std::string authority;
    std::string path;  // goes before the request's path
  };
  const Function& find(const std::string& name);

 private:
  const Settings& settings_;
  http::ClientPool& pool_;
  observe::CoreSeries& series_;
  std::unordered_map<std::string, Function> functions_;
};

// The calls of one request.
class FunctionCaller final : public pipeline::FunctionCaller {
 public:
  struct Core {
    const Settings& settings;
    ring::Ring& ring;
    Random& random;
    net::Resolver& resolver;
    http::ClientPool& pool;
    http::SpareConnections& spares;
    FunctionDirectory& functions;
    observe::CoreSeries& series;
  };

  // All must outlive it.
  FunctionCaller(Core& core, const http::Request& request, const Route& route,
                 const TraceContext& trace, observe::Run& run);

  coro::Task<Result<pipeline::Output, pipeline::StepError>> call(const pipeline::Call& call,
                                                                 const pipeline::Payload& input,
                                                                 Instant deadline,
                                                                 coro::CancelScope& scope) override;

  // How many orchestrators the request has come through already: Via members of our name.
  static size_t orchestrators_before(const http::Request& request);
  // Which limit an error is about, as people set it; nothing where it is about none. It is counted.
  // `step_is_first`: a step's time ends before its pipeline's.
  static std::string tell_limit(Core& core, http::CallError::Kind kind, bool step_is_first);

 private:
  std::string_view write_head(http::RequestWriter& writer, const FunctionDirectory::Function& to,
                              std::string_view method, const pipeline::Payload& input,
                              uint64_t span_id);

  Core& core_;
  const http::Request& request_;
  const Route& route_;
  const size_t orchestrators_before_;
  const TraceContext& trace_;
  observe::Run& run_;
  bool answered_ = false;  // one of the calls
};

}  // namespace fnkit::server
