#include "fnkit/http/exchange.hpp"

#include <cerrno>

#include "http/body_writer.hpp"
#include "http/response_writer.hpp"

namespace fnkit::http {

Exchange::Exchange(ServerConnection& connection) : connection_(connection) {}
Exchange::~Exchange() = default;

bool Exchange::is_read() const { return !connection_.parser_.in_parts(); }
std::optional<uint64_t> Exchange::body_bytes() const { return connection_.parser_.body_length(); }

coro::Task<Result<BodyPart, Unreadable>> Exchange::next_part() {
  RequestParser& parser = connection_.parser_;
  net::Stream& stream = connection_.stream_;
  while (!stopped_reading_) {
    Result<Arrived, ProtocolError> arrived = parser.advance(stream.input());
    if (!arrived) co_return Unreadable(refusal(arrived.error()));
    BodyPart part = parser.take_part(stream.input());
    if (part.last || !part.bytes.empty()) co_return part;
    if (Buffer::thread_holds_too_much()) co_return Unreadable(holds_too_much());
    const Duration patience = connection_.options_.body_timeout;
    Result<size_t> received = co_await stream.receive(later(connection_.ring_.now(), patience));
    if (stopped_reading_) break;
    caller_left_ = received ? *received == 0 : received.error().code != ETIMEDOUT;
    if (caller_left_) break;  // RFC 9112 section 8: incomplete
    if (!received) co_return connection_.when_not_received(received.error(), Arrived::head);
  }
  co_return Unreadable();
}

void Exchange::stop_reading() {
  stopped_reading_ = true;
  connection_.stream_.stop_waiting();
}

// RFC 9112 section 6.3: what has no length is chunked, or (to HTTP/1.0) ends with the connection.
void Exchange::begin(const Response& head, std::optional<uint64_t> body_bytes) {
  bodiless_ = connection_.to_head_ || head.status == 204 || head.status == 304;
  const bool endless = !bodiless_ && !body_bytes;
  const bool chunked = endless && connection_.minor_version_ > 0;
  keeps_alive_ = connection_.parser_.keep_alive() && is_read() && !connection_.draining_ &&
                 !head.close && (chunked || !endless);
  std::string headers = head.extra_headers;
  if (chunked) headers += "transfer-encoding: chunked\r\n";
  if (bodiless_) body_bytes.reset();
  std::string text;
  append_head(text, {head.status, head.content_type, headers, connection_.request_id_, body_bytes,
                     keeps_alive_, connection_.minor_version_, head.has_date});
  writer_ = std::make_unique<BodyWriter>(connection_.stream_);
  writer_->begin(text, chunked ? BodyFraming::chunked : BodyFraming::plain);
}

coro::Task<Result<void>> Exchange::write(std::string_view bytes, bool last) {
  if (bodiless_) bytes = {};
  Result<void> sent = co_await writer_->write(bytes, last, connection_.options_.write_timeout);
  complete_ = sent && last;
  co_return sent;
}

}  // namespace fnkit::http
