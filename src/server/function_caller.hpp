// How a step's function is really called: headers, limits, what is written down.
#pragma once

#include "fnkit/http/request_writer.hpp"
#include "fnkit/pipeline/run.hpp"
#include "fnkit/server/trace_context.hpp"
#include "server/calling.hpp"
#include "server/router.hpp"

namespace fnkit::server {

// The calls of one request.
class FunctionCaller final : public pipeline::Functions {
 public:
  // All must outlive it.
  FunctionCaller(Calling& calling, const http::Request& request, const Route& route,
                 const TraceContext& trace, observe::Run& run);

  coro::Task<Result<pipeline::Output, pipeline::StepError>> call(const pipeline::Call& call,
                                                                 const pipeline::Payload& input,
                                                                 Instant deadline,
                                                                 coro::CancelScope& scope) override;

 private:
  std::string_view write_head(http::RequestWriter& writer, const FunctionDirectory::Function& to,
                              std::string_view method, const pipeline::Payload& input,
                              uint64_t span_id);

  Calling& calling_;
  const http::Request& request_;
  const Route& route_;
  const size_t orchestrators_before_;
  const TraceContext& trace_;
  observe::Run& run_;
  bool answered_ = false;  // one of the calls
};

}  // namespace fnkit::server
