// The server that the wire table speaks of: two paths, an optional token, and a few more for tests
// of waiting and of large answers.
#pragma once

#include <string>
#include <vector>

#include "fnkit/coro/event.hpp"
#include "fnkit/http/exchange.hpp"

namespace fnkit::test {

// POST /orchestrate/echo gives the body back, GET and HEAD /livez "OK", OPTIONS /livez 204, /empty
// a 204 whose body must not be sent, /big/N N bytes of pattern(N); anything else 404.
http::Response fixed_answer(const http::Request& request, bool token_asked_for);

// Answers as above. With hold() a request is answered when release() is called or its caller
// leaves.
class FixedHandler final : public http::Handler {
 public:
  http::Admission admit(const http::Request& head) override;
  coro::Task<http::Response> handle(http::Request& request) override;

  void ask_for_token() { token_asked_for_ = true; }
  void hold() { holding_ = true; }
  void release() { released_.set(); }
  // How bodies go: at once; in parts, with the answer's length told; in parts of unknown length,
  // the request's being the answer's, each as it comes.
  enum class Goes { whole, in_parts, through };
  void let_bodies_go(Goes how) { goes_ = how; }

  // "METHOD target body" of each request that was handled, in order.
  std::vector<std::string> handled;
  std::vector<std::string> request_ids;
  size_t callers_gone = 0;

 private:
  static void caller_left(void* handler);
  coro::Task<std::optional<http::Response>> read_in_parts(http::Request& request);
  coro::Task<void> answer_in_parts(http::Exchange& exchange, const http::Response& response);
  coro::Task<http::Response> let_through(http::Request& request);

  bool token_asked_for_ = false;
  bool holding_ = false;
  Goes goes_ = Goes::whole;
  std::string body_;  // read in parts
  coro::Event released_;
};

}  // namespace fnkit::test
