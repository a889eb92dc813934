// --gateway: one request passed on to a function, and its answer back, each part as it comes.
#pragma once

#include "fnkit/http/exchange.hpp"
#include "fnkit/http/request_writer.hpp"
#include "fnkit/http/streamed_call.hpp"
#include "server/calling.hpp"
#include "server/router.hpp"

namespace fnkit::server {

class FunctionRelay {
 public:
  // All must outlive it.
  FunctionRelay(Calling& calling, const http::Request& request, const Route& route);

  struct Ended {
    http::Response response;   // of ours; its body is not sent where the function's has begun
    bool not_read = false;     // it is about a request that could not be read
    bool caller_left = false;  // it is for nobody
  };
  coro::Task<Ended> run();

 private:
  coro::Task<Ended> pass(http::ExclusivePool::Which which);
  coro::Task<void> send_request();
  coro::Task<Result<http::Response, http::CallError>> pass_answer();
  std::string_view write_head(http::RequestWriter& writer) const;
  void append_forwarded(http::RequestWriter& writer) const;
  http::Response begin_answer(const http::IncomingHead& head) const;
  Ended failed(const http::CallError& error) const;
  static void give_up(void* relay);

  Calling& calling_;
  const http::Request& request_;
  const Route& route_;
  http::Exchange& exchange_;
  const http::Endpoint endpoint_;
  const bool is_whole_;  // the request, from the beginning: it can be sent again
  std::optional<http::StreamedCall> call_;
  bool may_go_again_ = false;
  // Why the request's other end had to be given up, where that was not the caller's leaving.
  std::optional<http::CallError> not_sent_;
  std::optional<http::Response> not_read_;
};

}  // namespace fnkit::server
