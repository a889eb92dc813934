#include "wire/fixed_handler.hpp"

#include "fnkit/base/text.hpp"
#include "support/world.hpp"

namespace fnkit::test {
namespace {

using http::Body;
using http::Request;
using http::Response;

Response unauthorized() {
  Response response = http::error_response(401, "Unauthorized");
  response.extra_headers = "www-authenticate: Bearer\r\n";
  return response;
}

bool has_token(const Request& request) { return request.header("authorization") == "Bearer GOOD"; }

Response text_response(std::string_view text) {
  Response response;
  response.content_type = "text/plain";
  response.body = Body::copy_of(text);
  return response;
}

}  // namespace

Response fixed_answer(const Request& request, bool token_asked_for) {
  if (token_asked_for && !has_token(request)) return unauthorized();
  const std::string_view path = request.target.substr(0, request.target.find('?'));
  if (path == "/orchestrate/echo" && request.method == "POST") return text_response(request.body);
  if (path == "/livez" && (request.method == "GET" || request.method == "HEAD")) {
    return text_response("OK");
  }
  Response response;
  if (path == "/livez" && request.method == "OPTIONS") {
    response.status = 204;
    response.extra_headers = "allow: GET, HEAD, OPTIONS\r\n";
    return response;
  }
  if (path == "/empty") {
    response = text_response("must not be sent");
    response.status = 204;
    return response;
  }
  if (path.starts_with("/big/")) {
    return text_response(pattern(parse_decimal(path.substr(5)).value_or(0)));
  }
  return http::error_response(404, "Not found");
}

std::optional<Response> FixedHandler::refuse(const Request& head) {
  ++refusals_asked;
  if (token_asked_for_ && !has_token(head)) return unauthorized();
  return std::nullopt;
}

coro::Task<Response> FixedHandler::handle(Request& request) {
  handled.push_back(std::string(request.method) + " " + std::string(request.target) + " " +
                    std::string(request.body));
  request_ids.emplace_back(request.request_id);
  if (holding_) {
    coro::CancelHook hook(&caller_left, this);
    request.caller_gone->add(hook);
    co_await released_.wait();
    released_.reset();
  }
  Response response = fixed_answer(request, token_asked_for_);
  co_return response;
}

void FixedHandler::caller_left(void* handler) {
  auto& self = *static_cast<FixedHandler*>(handler);
  ++self.callers_gone;
  self.released_.set();
}

}  // namespace fnkit::test
