#include "fnkit/http/streamed_call.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>

#include "http/body_writer.hpp"

namespace fnkit::http {
namespace {

using Kind = CallError::Kind;

MessageLimits without_body_limit(MessageLimits limits) {
  limits.body_bytes_max = std::numeric_limits<size_t>::max();
  return limits;
}

}  // namespace

StreamedCall::StreamedCall(ring::Ring& ring, ExclusivePool::Connection connection,
                           const ClientOptions& options, Duration silence_max)
    : ring_(ring),
      options_(options),
      silence_max_(silence_max),
      connection_(std::move(connection)),
      writer_(std::make_unique<BodyWriter>(*connection_.stream)),
      parser_(without_body_limit(options.limits)),
      moved_at_(ring.now()) {
  connection_.stream->receive_directly(net::Stream::Direct::to_reader);
}

StreamedCall::~StreamedCall() = default;

void StreamedCall::begin(std::string_view head, bool chunked, bool is_head) {
  writer_->begin(head, chunked ? BodyFraming::chunked : BodyFraming::plain);
  parser_.begin(is_head);
}

coro::Task<Result<void, CallError>> StreamedCall::send(std::string_view bytes, bool last) {
  Result<void> sent = co_await writer_->write(bytes, last, options_.write_timeout);
  moved_at_ = ring_.now();
  sent_ = sent_ || sent || connection_.stream->bytes_sent() > 0;
  sent_all_ = sent && last;
  if (sent) co_return Result<void, CallError>();
  const bool stalled = sent.error().code == ETIMEDOUT;
  co_return CallError{stalled ? Kind::not_read : Kind::broken, sent.error().message};
}

coro::Task<Result<IncomingHead, CallError>> StreamedCall::answer_head() {
  Result<Arrived, CallError> arrived = Arrived::not_yet;
  while (arrived && *arrived == Arrived::not_yet) arrived = co_await read_more();
  if (!arrived) co_return std::move(arrived.error());
  IncomingHead head = parser_.take_head(connection_.stream->input());
  if (head.reusable) {
    idle_time_ = options_.idle_time(find_header(head.headers, "keep-alive").value_or(""));
  }
  co_return head;
}

BodyPart StreamedCall::part_here() {
  BodyPart part = parser_.take_part(connection_.stream->input());
  answered_all_ = part.last;
  return part;
}

coro::Task<Result<BodyPart, CallError>> StreamedCall::next_part() {
  Result<Arrived, CallError> arrived = co_await read_more();
  if (!arrived) co_return std::move(arrived.error());
  co_return part_here();
}

// Waits for bytes or the end, where nothing is there that has not been looked at.
coro::Task<Result<Arrived, CallError>> StreamedCall::read_more() {
  bool at_end = false;
  while (true) {
    Result<size_t> received = co_await connection_.stream->receive(later(moved_at_, silence_max_));
    at_end = received && *received == 0;
    if (received) break;
    if (received.error().code == ECANCELED) co_return CallError{Kind::cancelled, "given up"};
    if (received.error().code != ETIMEDOUT) {
      co_return CallError{Kind::broken, received.error().message};
    }
    if (ring_.now() >= later(moved_at_, silence_max_)) {
      co_return CallError{Kind::timeout, "nothing came in time"};
    }
  }
  if (Buffer::thread_holds_too_much()) {
    co_return CallError{Kind::too_much_held, "too many bytes are held for messages"};
  }
  moved_at_ = ring_.now();
  answered_ = answered_ || !at_end;
  Result<Arrived, ProtocolError> arrived = parser_.advance(connection_.stream->input(), at_end);
  if (arrived) co_return *arrived;
  co_return CallError{at_end ? Kind::broken : Kind::protocol, std::string(arrived.error().reason)};
}

void StreamedCall::stop() { connection_.stream->stop(); }

Duration StreamedCall::idle_time() const {
  const bool whole = sent_all_ && answered_all_ && connection_.stream->input().empty() &&
                     !connection_.stream->ended();
  return whole ? idle_time_ : Duration::zero();
}

ExclusivePool::Connection StreamedCall::release() { return std::move(connection_); }

}  // namespace fnkit::http
