#include "server/function_relay.hpp"

#include <algorithm>
#include <array>

#include "fnkit/base/text.hpp"
#include "fnkit/json/quote.hpp"

namespace fnkit::server {
namespace {

using Kind = http::CallError::Kind;

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [=](std::string_view each) { return equals_ignoring_case(each, name); });
}

// "192.0.2.1:40000" and "[2001:db8::1]:40000" without the port.
std::string_view host_of(std::string_view caller) {
  std::string_view host = caller.substr(0, caller.rfind(':'));
  if (!host.empty() && host.front() == '[') host = host.substr(1, host.size() - 2);
  return host;
}

}  // namespace

FunctionRelay::FunctionRelay(Calling& calling, const http::Request& request, const Route& route)
    : calling_(calling),
      request_(request),
      route_(route),
      exchange_(*request.exchange),
      endpoint_(endpoint_of(calling.settings, std::string(route.function))),
      is_whole_(exchange_.is_read()) {}

coro::Task<FunctionRelay::Ended> FunctionRelay::run() {
  Ended ended = co_await pass(http::ExclusivePool::Which::kept_or_new);
  if (may_go_again_) ended = co_await pass(http::ExclusivePool::Which::new_one);
  co_return ended;
}

coro::Task<FunctionRelay::Ended> FunctionRelay::pass(http::ExclusivePool::Which which) {
  may_go_again_ = false;
  const Instant deadline = later(calling_.ring.now(), calling_.settings.functions.connect_timeout);
  Result<http::ExclusivePool::Connection, http::CallError> connection =
      co_await calling_.streams.open(endpoint_, which, deadline, *request_.caller_gone);
  if (!connection) co_return failed(connection.error());
  const bool kept = connection->kept;
  call_.emplace(calling_.ring, std::move(*connection), calling_.settings.functions,
                calling_.settings.step_timeout);
  coro::CancelHook hook(&give_up, this);
  request_.caller_gone->add(hook);
  http::RequestWriter writer;
  const bool chunked = !is_whole_ && !exchange_.body_bytes();
  call_->begin(write_head(writer), chunked, request_.method == "HEAD");
  coro::TaskGroup sending;
  sending.spawn(send_request());
  Result<http::Response, http::CallError> passed = co_await pass_answer();
  const Duration idle_time = call_->idle_time();
  if (idle_time == Duration::zero()) call_->stop();
  if (!exchange_.is_read()) exchange_.stop_reading();
  co_await sending.join();
  calling_.streams.give_back(call_->release(), idle_time);
  if (passed) co_return Ended{std::move(*passed)};
  if (not_read_) co_return Ended{std::move(*not_read_), true};
  // As the calls of steps: the table in src/http/client_connection.hpp.
  may_go_again_ = kept && is_whole_ && passed.error().kind == Kind::broken &&
                  !call_->was_answered() && (!call_->was_sent() || is_idempotent(request_.method));
  co_return failed(not_sent_ ? *not_sent_ : passed.error());
}

void FunctionRelay::give_up(void* relay) { static_cast<FunctionRelay*>(relay)->call_->stop(); }

// A function that reads no further may have answered: what comes of it is told by its answer.
coro::Task<void> FunctionRelay::send_request() {
  Result<void, http::CallError> sent = co_await call_->send(request_.body, exchange_.is_read());
  while (sent && !exchange_.is_read()) {
    Result<http::BodyPart, http::Unreadable> part = co_await exchange_.next_part();
    if (!part) {
      not_read_ = std::move(part.error());
      call_->stop();
      co_return;
    }
    sent = co_await call_->send(part->bytes.view(), part->last);
  }
  if (sent || sent.error().kind != Kind::not_read) co_return;
  not_sent_ = std::move(sent.error());
  call_->stop();
}

coro::Task<Result<http::Response, http::CallError>> FunctionRelay::pass_answer() {
  Result<http::IncomingHead, http::CallError> head = co_await call_->answer_head();
  if (!head) co_return std::move(head.error());
  http::Response response = begin_answer(*head);
  exchange_.begin(response, head->body_bytes);
  Result<http::BodyPart, http::CallError> part = call_->part_here();
  while (part) {
    Result<void> sent = co_await exchange_.write(part->bytes.view(), part->last);
    if (!sent || part->last) break;
    part = co_await call_->next_part();
  }
  co_return response;
}

std::string_view FunctionRelay::write_head(http::RequestWriter& writer) const {
  static constexpr std::array<std::string_view, 6> kOurs = {
      "host", "content-length", "expect", "x-request-id", "x-forwarded-for", "x-real-ip"};
  const StepUrl::Target to = calling_.settings.step_url.target_of(route_.function);
  std::string path = to.path;
  path += route_.step_path.empty() ? std::string_view("/") : route_.step_path;
  writer.begin(request_.method, path, route_.step_query,
               request_.authority.empty() ? to.authority : request_.authority);
  const std::vector<std::string>& forwarded = calling_.settings.forward_headers;
  const bool may_know_token =
      std::find(forwarded.begin(), forwarded.end(), "authorization") != forwarded.end();
  for (const http::HeaderField& field : http::end_to_end(request_.headers)) {
    const bool is_token = equals_ignoring_case(field.name, "authorization");
    if (is_one_of(field.name, kOurs) || (is_token && !may_know_token)) continue;
    writer.field(field.name, field.value);
  }
  append_forwarded(writer);
  if (is_whole_) return writer.end(request_.method, request_.body.size());
  const std::optional<uint64_t> length = exchange_.body_bytes();
  return length ? writer.end(request_.method, *length) : writer.end_chunked();
}

// What the reference gateway added, and Via (RFC 9110 section 7.6.3). A gateway in front may have
// told of others before this caller, and that they came by https; over a Unix socket, where callers
// have no address, it alone can tell who called.
void FunctionRelay::append_forwarded(http::RequestWriter& writer) const {
  const std::string_view caller = host_of(request_.caller);
  std::string chain;
  const auto append = [&chain](std::string_view address) {
    if (!chain.empty() && !address.empty()) chain += ", ";
    chain += address;
  };
  for (const http::HeaderField& field : request_.headers) {
    if (equals_ignoring_case(field.name, "x-forwarded-for")) append(field.value);
  }
  append(caller);
  const std::string_view nearest =
      caller.empty() ? request_.header("x-real-ip").value_or(caller) : caller;
  writer.field("x-request-id", request_.request_id);
  if (!chain.empty()) writer.field("x-forwarded-for", chain);
  if (!nearest.empty()) writer.field("x-real-ip", nearest);
  if (!request_.header("x-forwarded-proto")) writer.field("x-forwarded-proto", "http");
  writer.field("via", kVia);
}

http::Response FunctionRelay::begin_answer(const http::IncomingHead& head) const {
  const bool bodiless = request_.method == "HEAD" || head.status == 304;
  http::Response response;
  response.status = head.status;
  for (const http::HeaderField& field : http::end_to_end(head.headers)) {
    const bool is_length = equals_ignoring_case(field.name, "content-length");
    if ((is_length && !bodiless) || equals_ignoring_case(field.name, "x-request-id")) continue;
    response.has_date = response.has_date || equals_ignoring_case(field.name, "date");
    response.extra_headers += field.name;
    response.extra_headers += ": ";
    response.extra_headers += field.value;
    response.extra_headers += "\r\n";
  }
  return response;
}

// For one that is not there the words of the reference gateway.
FunctionRelay::Ended FunctionRelay::failed(const http::CallError& error) const {
  const bool missing = error.kind == Kind::unreachable || error.kind == Kind::no_connection;
  const bool late = error.kind == Kind::timeout || error.kind == Kind::not_read;
  std::string text = R"({"error":")";
  text += missing ? "Function not found or not running"
          : late  ? "Function timed out"
                  : "Function gave no acceptable answer";
  text += R"(","container":)";
  json::append_quoted(text, route_.function);
  const std::string limit = tell_limit(calling_, error.kind, true);
  if (!missing) {
    text += R"(,"detail":)";
    json::append_quoted(text, error.detail + limit);
  }
  text += '}';
  const int status = late ? 504 : error.kind == Kind::too_much_held ? 503 : 502;
  return {http::json_response(status, text), false, error.kind == Kind::cancelled};
}

}  // namespace fnkit::server
