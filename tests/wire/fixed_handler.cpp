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

http::Admission FixedHandler::admit(const Request& head) {
  if (token_asked_for_ && !has_token(head)) return {unauthorized()};
  return {std::nullopt, goes_ != Goes::whole};
}

coro::Task<std::optional<Response>> FixedHandler::read_in_parts(Request& request) {
  std::string body(request.body);
  while (!request.exchange->is_read()) {
    Result<http::BodyPart, http::Unreadable> part = co_await request.exchange->next_part();
    if (!part) co_return part.error() ? std::move(part.error()) : http::error_response(500, "gone");
    body += part->bytes.view();
  }
  body_ = body;
  request.body = body_;
  co_return std::nullopt;
}

coro::Task<void> FixedHandler::answer_in_parts(http::Exchange& exchange, const Response& response) {
  const std::string_view body = response.status == 204 ? std::string_view() : response.body.bytes;
  const size_t half = body.size() / 2;
  exchange.begin(response, body.size());
  Result<void> sent = co_await exchange.write(body.substr(0, half), false);
  if (sent) sent = co_await exchange.write(body.substr(half), true);
}

coro::Task<Response> FixedHandler::let_through(Request& request) {
  http::Exchange& exchange = *request.exchange;
  exchange.begin(text_response({}), std::nullopt);
  Result<void> sent = co_await exchange.write(request.body, exchange.is_read());
  while (sent && !exchange.is_read()) {
    Result<http::BodyPart, http::Unreadable> part = co_await exchange.next_part();
    if (!part) break;
    sent = co_await exchange.write(part->bytes.view(), part->last);
  }
  co_return Response();
}

coro::Task<Response> FixedHandler::handle(Request& request) {
  if (goes_ == Goes::through) co_return co_await let_through(request);
  if (goes_ == Goes::in_parts) {
    std::optional<Response> refusal = co_await read_in_parts(request);
    if (refusal) co_return std::move(*refusal);
  }
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
  const bool to_head = request.method == "HEAD";  // its length is told where there is a body to see
  if (goes_ == Goes::in_parts && !to_head) co_await answer_in_parts(*request.exchange, response);
  co_return response;
}

void FixedHandler::caller_left(void* handler) {
  auto& self = *static_cast<FixedHandler*>(handler);
  ++self.callers_gone;
  self.released_.set();
}

}  // namespace fnkit::test
