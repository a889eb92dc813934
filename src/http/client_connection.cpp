#include "fnkit/http/client_connection.hpp"

#include <algorithm>
#include <cerrno>

#include "fnkit/base/text.hpp"

namespace fnkit::http {
namespace {

// Larger requests are sent with a completion of their own, so that a stalled one is noticed.
constexpr size_t kSilentBytesMax = 64 * 1024;
// Nobody awaits a send while its answer is awaited: so often in its stall limit it is looked at.
constexpr int kStallLooks = 8;

}  // namespace

ClientConnection::ClientConnection(ring::Ring& ring, int fd, const ClientOptions& options,
                                   Owner& owner)
    : ring_(ring),
      options_(options),
      owner_(owner),
      stream_(ring, fd),
      parser_(options.limits),
      idle_timer_(&idle_over, this),
      idle_timeout_(options.idle_timeout) {}

coro::Task<Result<IncomingResponse, CallError>> ClientConnection::exchange(
    const OutgoingRequest& request, Instant deadline, coro::CancelScope& scope) {
  coro::CancelHook hook(&stop_stream, this);
  scope.add(hook);
  nothing_sent_ = nothing_received_ = true;
  parser_.begin(request.is_head);
  if (stream_.ended() || !stream_.input().empty()) {
    reusable_ = false;
    co_return CallError{CallError::Kind::broken, "the connection had ended"};
  }
  const std::string_view parts[] = {request.head, request.body};
  const bool silent = request.body.size() <= kSilentBytesMax;
  stream_.start_send(parts, silent ? ring::SendMode::silent : ring::SendMode::prompt,
                     options_.write_timeout);
  std::optional<CallError> failure = co_await receive_answer(deadline, scope);
  // An answer that comes before all of the request has left ends the sending and with it the
  // connection (RFC 9112 section 9.5).
  const bool sent_in_time = !stream_.sending();
  if (!sent_in_time || failure) {
    reusable_ = false;
    stream_.stop();
  }
  Result<void> sent = co_await stream_.sent();
  nothing_sent_ = !sent && stream_.bytes_sent() == 0;
  if (failure) {
    const bool stalled = !sent && sent.error().code == ETIMEDOUT;
    if (stalled) co_return CallError{CallError::Kind::timeout, "it does not read the request"};
    co_return std::move(*failure);
  }
  IncomingResponse response = parser_.take(stream_.input());
  used_ = true;
  reusable_ = reusable_ && response.reusable && stream_.input().empty();
  keep_promise(response.keep_alive);
  co_return response;
}

// Until the parser holds a complete answer.
coro::Task<std::optional<CallError>> ClientConnection::receive_answer(Instant deadline,
                                                                      coro::CancelScope& scope) {
  while (true) {
    const Instant look_at_sending = later(ring_.now(), options_.write_timeout / kStallLooks);
    const Instant until = stream_.sending() ? std::min(deadline, look_at_sending) : deadline;
    Result<size_t> received = co_await stream_.receive(until);
    if (!received && received.error().code == ETIMEDOUT && ring_.now() < deadline) {
      const bool still_sending = stream_.sending();
      if (still_sending) continue;
      Result<void> sent = co_await stream_.sent();
      if (sent) continue;
    }
    if (!received) co_return when_not_received(received.error(), scope);
    const bool ended = *received == 0;
    if (ended && nothing_received_) {
      co_return CallError{CallError::Kind::broken, "the connection ended before an answer came"};
    }
    nothing_received_ = false;
    Result<Arrived, ProtocolError> arrived = parser_.advance(stream_.input(), ended);
    if (!arrived) {
      co_return CallError{CallError::Kind::protocol, std::string(arrived.error().reason)};
    }
    if (*arrived == Arrived::all) co_return std::nullopt;
  }
}

CallError ClientConnection::when_not_received(const Error& error, coro::CancelScope& scope) const {
  if (scope.cancelled()) return {CallError::Kind::cancelled, "the caller is gone"};
  if (error.code == ETIMEDOUT) return {CallError::Kind::timeout, "no complete answer in time"};
  if (nothing_received_) {
    return {CallError::Kind::broken,
            "the connection ended before an answer came (" + error.message + ")"};
  }
  return {CallError::Kind::broken,
          "the connection ended before the answer did (" + error.message + ")"};
}

// "timeout=N" of Keep-Alive: the peer will not close earlier; a second less, because both clocks
// begin at different times.
void ClientConnection::keep_promise(std::string_view keep_alive) {
  idle_timeout_ = options_.idle_timeout;
  for (const std::string_view part : split(keep_alive, ',')) {
    const size_t equals = part.find('=');
    if (equals == std::string_view::npos ||
        !equals_ignoring_case(trim(part.substr(0, equals)), "timeout")) {
      continue;
    }
    const auto seconds = parse_decimal(trim(part.substr(equals + 1)));
    if (!seconds) continue;
    if (*seconds <= 1) reusable_ = false;
    idle_timeout_ = std::min<Duration>(
        std::chrono::seconds(std::min<uint64_t>(*seconds, 3600)) - std::chrono::seconds(1),
        options_.idle_timeout_max);
  }
}

void ClientConnection::rest() {
  ring_.timers().arm(idle_timer_, later(ring_.now(), idle_timeout_));
  stream_.on_arrival(&something_arrived, this);
}

void ClientConnection::wake() {
  idle_timer_.unlink();
  stream_.on_arrival(nullptr, nullptr);
}

coro::Task<void> ClientConnection::close() {
  wake();
  co_await stream_.close();
}

void ClientConnection::stop_stream(void* context) {
  static_cast<ClientConnection*>(context)->stream_.stop();
}

void ClientConnection::something_arrived(void* context) {
  auto& self = *static_cast<ClientConnection*>(context);
  self.reusable_ = false;
  self.owner_.idle_ended(self);
}

void ClientConnection::idle_over(void* context) { something_arrived(context); }

}  // namespace fnkit::http
