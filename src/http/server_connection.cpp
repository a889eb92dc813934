#include "fnkit/http/server_connection.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "fnkit/http/exchange.hpp"
#include "fnkit/net/address.hpp"
#include "http/response_writer.hpp"

namespace fnkit::http {
namespace {

// How long bytes that still come are read away behind a last answer, so that its reader gets to see
// it: it may be sending a body that was refused, or its next request.
constexpr Duration kLingerPatience = std::chrono::seconds(2);
constexpr Duration kDrainPatience = std::chrono::milliseconds(200);
constexpr size_t kRequestIdBytesMax = 128;
constexpr std::string_view kAllow = "allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n";

bool is_request_id(std::string_view id) {
  return !id.empty() && id.size() <= kRequestIdBytesMax &&
         std::all_of(id.begin(), id.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::string caller_of(int fd) {
  Result<net::Address> address = net::Address::of_peer(fd);
  return address && !address->is_unix() ? address->to_text() : std::string();
}

}  // namespace

Response holds_too_much() { return retry_later("Too many bytes held for requests in progress"); }

Response refusal(const ProtocolError& error) {
  Response response = error_response(error.status, error.reason);
  if (error.status == 405) response.extra_headers = kAllow;
  response.close = true;
  return response;
}

ServerConnection::ServerConnection(ring::Ring& ring, int fd, Handler& handler,
                                   const ServerOptions& options, Random& random)
    : ring_(ring),
      handler_(handler),
      options_(options),
      random_(random),
      stream_(ring, fd),
      caller_(caller_of(fd)),
      parser_(options.limits) {
  stream_.receive_directly(net::Stream::Direct::to_reader);
}

coro::Task<void> ServerConnection::serve() {
  bool keep_alive = true;
  while (keep_alive) {
    Result<Request, Unreadable> request = co_await read_request();
    if (!request) {
      const Unreadable& unreadable = request.error();
      if (!unreadable) break;
      Request unread = parser_.has_head() ? parser_.peek(stream_.input()) : Request{};
      identify(unread);
      handler_.not_read(unread, unreadable->status, parser_.has_head());
      [[maybe_unused]] Result<void> sent = co_await write_response(*unreadable, false);
      break;
    }
    keep_alive = co_await answer(*request);
  }
  if (said_close_) {
    const Duration patience = draining_ ? kDrainPatience : kLingerPatience;
    co_await stream_.linger_and_close(patience);
  } else {
    co_await stream_.close();
  }
}

coro::Task<Result<Request, Unreadable>> ServerConnection::read_request() {
  Arrived seen = Arrived::not_yet;
  Instant begun_at = ring_.now();
  request_id_.clear();
  while (true) {
    Result<Arrived, ProtocolError> arrived = parser_.advance(stream_.input());
    if (!arrived) co_return Unreadable(refusal(arrived.error()));
    if (*arrived == Arrived::all) co_return parser_.take(stream_.input());
    if (*arrived == Arrived::head && seen == Arrived::not_yet) {
      Request head = parser_.peek(stream_.input());
      identify(head);
      Admission admission = handler_.admit(head);
      if (admission.refusal) co_return Unreadable(std::move(admission.refusal));
      if (parser_.expects_continue() && !parser_.body_begun()) {
        Result<void> sent = co_await send_continue();
        if (!sent) co_return Unreadable();
      }
      if (admission.in_parts) co_return parser_.take_head(stream_.input());
    }
    if (*arrived == Arrived::head && Buffer::thread_holds_too_much()) {
      co_return Unreadable(holds_too_much());
    }
    seen = *arrived;
    idle_ = !parser_.begun(stream_.input());
    if (idle_ && ends_when_idle_) co_return Unreadable();
    const Instant deadline =
        idle_ ? later(ring_.now(), options_.idle_timeout) : read_deadline(seen, begun_at);
    Result<size_t> received = co_await stream_.receive(deadline);
    if (!received) co_return when_not_received(received.error(), seen);
    if (*received == 0) co_return Unreadable();  // RFC 9112 section 8: incomplete, or none begun
    if (idle_) begun_at = ring_.now();
    idle_ = false;
  }
}

Instant ServerConnection::read_deadline(Arrived arrived, Instant begun_at) const {
  if (arrived == Arrived::head) return later(ring_.now(), options_.body_timeout);
  return later(begun_at, options_.head_timeout);
}

Unreadable ServerConnection::when_not_received(const Error& error, Arrived arrived) const {
  if (error.code != ETIMEDOUT || idle_) return std::nullopt;
  return refusal({408, arrived == Arrived::head ? "the request body did not arrive in time"
                                                : "the request head did not arrive in time"});
}

coro::Task<Result<void>> ServerConnection::send_continue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  stream_.start_send({&kContinue, 1}, ring::SendMode::prompt, options_.write_timeout);
  Result<void> sent = co_await stream_.sent();
  co_return sent;
}

// True when another request may follow.
coro::Task<bool> ServerConnection::answer(Request& request) {
  const bool asked_to_stay = parser_.keep_alive();
  identify(request);
  coro::CancelScope scope;
  request.caller_gone = &scope;
  Exchange exchange(*this);
  request.exchange = &exchange;
  in_progress_ = &scope;
  stream_.on_arrival(&caller_moved, this);
  caller_moved(this);
  Response response = co_await handler_.handle(request);
  stream_.on_arrival(nullptr, nullptr);
  in_progress_ = nullptr;
  if (exchange.begun()) {
    said_close_ = exchange.complete() && !exchange.keeps_alive();
    co_return exchange.complete() && exchange.keeps_alive();
  }
  if (exchange.caller_left()) co_return false;
  if (abandoned_) response = error_response(503, "Shutting down");
  // A caller that ended only its own side still reads: what was made of its request is sent.
  const bool keep_alive = asked_to_stay && !response.close && !draining_ && exchange.is_read();
  Result<void> sent = co_await write_response(response, keep_alive);
  const bool may_follow = sent && keep_alive;
  co_return may_follow;
}

coro::Task<Result<void>> ServerConnection::write_response(const Response& response,
                                                          bool keep_alive) {
  head_.clear();
  // A pipeline's answer to HEAD has no body to count.
  std::optional<size_t> length = response.body.bytes.size();
  if (to_head_ && response.body.bytes.empty()) length.reset();
  append_head(head_, {response.status, response.content_type, response.extra_headers, request_id_,
                      length, keep_alive, minor_version_, response.has_date});
  const bool bodiless = to_head_ || response.status == 204 || response.status == 304;
  const std::string_view body = bodiless ? std::string_view() : response.body.bytes;
  const std::string_view parts[] = {head_, body};
  // With a request waiting already there may be no further event to go on with.
  const bool silent = keep_alive && body.size() <= ring::kSilentBytesMax &&
                      stream_.input().empty() && !stream_.ended();
  stream_.start_send(parts, silent ? ring::SendMode::silent : ring::SendMode::prompt,
                     options_.write_timeout);
  Result<void> sent = co_await stream_.sent();
  said_close_ = sent && !keep_alive;
  co_return sent;
}

// May be called again for the same request: its id stays.
void ServerConnection::identify(Request& request) {
  const auto given = request.header("x-request-id");
  if (given && is_request_id(*given)) {
    request_id_ = *given;
  } else if (request_id_.empty()) {
    random_.append_hex16(request_id_);
    random_.append_hex16(request_id_);
  }
  request.request_id = request_id_;
  request.caller = caller_;
  to_head_ = request.method == "HEAD";
  minor_version_ = request.minor_version;
}

void ServerConnection::caller_moved(void* context) {
  auto& self = *static_cast<ServerConnection*>(context);
  const bool gone = self.stream_.ended() && self.options_.cancel_when_caller_leaves;
  if (gone && self.in_progress_ != nullptr) self.in_progress_->cancel();
}

void ServerConnection::drain() { draining_ = true; }

void ServerConnection::end_when_idle() {
  draining_ = ends_when_idle_ = true;
  if (idle_ && in_progress_ == nullptr) stream_.stop();
}

void ServerConnection::abandon() {
  draining_ = abandoned_ = true;
  if (in_progress_ != nullptr && !in_progress_->cancelled()) {
    in_progress_->cancel();
  } else {
    stream_.stop();
  }
}

}  // namespace fnkit::http
