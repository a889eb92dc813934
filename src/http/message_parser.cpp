#include "fnkit/http/message_parser.hpp"

#include <algorithm>

#include "http/chunked_decoder.hpp"
#include "http/head_parser.hpp"
#include "http/head_scanner.hpp"

namespace fnkit::http {
namespace {

constexpr unsigned kInterimAnswersMax = 16;
constexpr size_t kLeadingEmptyLinesMax = 4;
// What a message merely promises to send must not be paid for: room is made for as much again as
// has arrived, from the least to the most that a turn of the loop may bring.
constexpr size_t kTurnBytesMin = 16 * 1024;
constexpr size_t kTurnBytesMax = 1024 * 1024;

using Checked = Result<void, ProtocolError>;

// What requests and responses have in common: a head, then a body by its framing. Offsets count
// from the message's first byte, which is the input buffer's first.
struct MessageState {
  MessageState(MessageKind kind, const MessageLimits& message_limits)
      : limits(message_limits), scanner(kind, limits), chunked(limits) {}

  const MessageLimits limits;
  HeadScanner scanner;
  ChunkedDecoder chunked;
  Head head;
  const char* head_base = nullptr;  // where the buffer was when the head was parsed
  size_t head_bytes = 0;            // 0: not complete yet
  size_t body_bytes = 0;            // decoded so far
  size_t wire_bytes = 0;            // of the complete message
  bool body_begun = false;          // also where only a chunk's size line has come

  void reset() {
    scanner.reset();
    chunked.reset();
    head_bytes = body_bytes = wire_bytes = 0;
    body_begun = false;
  }

  void head_is(size_t bytes, const Buffer& input) {
    head_bytes = bytes;
    head_base = input.data();
  }

  Checked check_length() const {
    if (head.framing == Framing::length && head.content_length > limits.body_bytes_max) {
      return ProtocolError{413, "body too large"};
    }
    return {};
  }

  Result<Arrived, ProtocolError> advance_body(Buffer& input, bool ended) {
    const size_t received = input.size() - head_bytes;
    body_begun = body_begun || received > 0;
    switch (head.framing) {
      case Framing::none: wire_bytes = head_bytes; return Arrived::all;
      case Framing::length:
        body_bytes = std::min(received, static_cast<size_t>(head.content_length));
        wire_bytes = head_bytes + body_bytes;
        if (body_bytes == head.content_length) return Arrived::all;
        make_room_for_body(input, received);
        return Arrived::head;
      case Framing::chunked: return advance_chunked(input);
      case Framing::until_close:
        if (received > limits.body_bytes_max) return ProtocolError{413, "body too large"};
        body_bytes = received;
        wire_bytes = head_bytes + body_bytes;
        return ended ? Arrived::all : Arrived::head;
    }
    return Arrived::head;
  }

  // Never more than the message will need: a large one is held once, and not almost twice.
  void make_room_for_body(Buffer& input, size_t received) const {
    const size_t rest = static_cast<size_t>(head.content_length) - received;
    const size_t next_turn = std::clamp(received, kTurnBytesMin, kTurnBytesMax);
    if (input.room() >= std::min(rest, next_turn)) return;
    input.make_exact_room(std::min(rest, std::max(received, kTurnBytesMin)));
  }

  Result<Arrived, ProtocolError> advance_chunked(Buffer& input) {
    const size_t at = head_bytes + body_bytes;
    char* raw = input.data() + at;
    auto step = chunked.decode(raw, raw, input.size() - at, body_bytes);
    if (!step) return step.error();
    body_bytes += step->produced;
    input.erase(at + step->produced, at + step->consumed);
    wire_bytes = head_bytes + body_bytes;
    return step->complete ? Arrived::all : Arrived::head;
  }

  // The message's own buffer; the head's views follow it.
  Buffer take(Buffer& input) {
    Buffer storage = input.take_front(wire_bytes);
    head.rebase(storage.data() - head_base);
    return storage;
  }

  std::string_view body_in(const Buffer& storage) const {
    return {storage.data() + head_bytes, body_bytes};
  }
};

}  // namespace

struct RequestParser::State : MessageState {
  explicit State(const MessageLimits& message_limits)
      : MessageState(MessageKind::request, message_limits) {}
  size_t empty_lines = 0;
};

RequestParser::RequestParser(const MessageLimits& limits)
    : state_(std::make_unique<State>(limits)) {}
RequestParser::~RequestParser() = default;

Result<Arrived, ProtocolError> RequestParser::advance(Buffer& input) {
  State& state = *state_;
  if (state.head_bytes == 0) {
    // RFC 9112 section 2.2: empty lines before a request line are skipped; a flood of them is not.
    while (input.size() >= 2 && input.view().substr(0, 2) == "\r\n") {
      if (++state.empty_lines > kLeadingEmptyLinesMax) {
        return ProtocolError{400, "too many empty lines before a request"};
      }
      input.consume(2);
    }
    if (input.view() == "\r") return Arrived::not_yet;
    auto scanned = state.scanner.scan(input.view());
    if (!scanned) return scanned.error();
    if (*scanned == 0) return Arrived::not_yet;
    state.head_is(*scanned, input);
    Checked parsed = parse_request_head(input.view().substr(0, *scanned), state.head);
    if (!parsed) return parsed.error();
    if (Checked length = state.check_length(); !length) return length.error();
  }
  return state.advance_body(input, false);
}

Request RequestParser::peek(const Buffer& input) const {
  State& state = *state_;
  state.head.rebase(input.data() - state.head_base);
  state.head_base = input.data();
  Request request;
  request.method = state.head.method;
  request.target = state.head.target;
  request.minor_version = state.head.minor_version;
  request.headers = state.head.fields;
  return request;
}

bool RequestParser::expects_continue() const { return state_->head.expects_continue; }
bool RequestParser::keep_alive() const { return state_->head.keep_alive; }

bool RequestParser::has_head() const { return state_->head_bytes > 0; }
bool RequestParser::body_begun() const { return state_->body_begun; }

Request RequestParser::take(Buffer& input) {
  State& state = *state_;
  Buffer storage = state.take(input);
  state.head_base = storage.data();
  Request request = peek(storage);
  request.body = state.body_in(storage);
  request.storage = std::move(storage);
  state.reset();
  state.empty_lines = 0;
  return request;
}

struct ResponseParser::State : MessageState {
  explicit State(const MessageLimits& message_limits)
      : MessageState(MessageKind::response, message_limits) {}
  bool to_head_request = false;
  unsigned interim_answers = 0;
};

ResponseParser::ResponseParser(const MessageLimits& limits)
    : state_(std::make_unique<State>(limits)) {}
ResponseParser::~ResponseParser() = default;

void ResponseParser::begin(bool to_head_request) {
  state_->reset();
  state_->to_head_request = to_head_request;
  state_->interim_answers = 0;
}

// Whatever is wrong with an answer, who gave it is a bad gateway's upstream.
Result<Arrived, ProtocolError> ResponseParser::advance(Buffer& input, bool ended) {
  Result<Arrived, ProtocolError> arrived = read(input, ended);
  if (!arrived) return ProtocolError{502, arrived.error().reason};
  return arrived;
}

Result<Arrived, ProtocolError> ResponseParser::read(Buffer& input, bool ended) {
  State& state = *state_;
  while (state.head_bytes == 0) {
    auto scanned = state.scanner.scan(input.view());
    if (!scanned) return scanned.error();
    if (*scanned == 0) {
      if (ended) return ProtocolError{502, "the connection ended before the answer did"};
      return Arrived::not_yet;
    }
    state.head_is(*scanned, input);
    Checked parsed =
        parse_response_head(input.view().substr(0, *scanned), state.to_head_request, state.head);
    if (!parsed) return parsed.error();
    if (state.head.status == 101) return ProtocolError{502, "101 was not asked for"};
    if (state.head.status >= 200) {
      if (Checked length = state.check_length(); !length) return length.error();
      break;
    }
    if (++state.interim_answers > kInterimAnswersMax) {
      return ProtocolError{502, "too many interim answers"};
    }
    input.consume(state.head_bytes);
    state.reset();
  }
  Result<Arrived, ProtocolError> arrived = state.advance_body(input, ended);
  if (arrived && *arrived != Arrived::all && ended) {
    return ProtocolError{502, "the connection ended before the answer did"};
  }
  return arrived;
}

IncomingResponse ResponseParser::take(Buffer& input) {
  State& state = *state_;
  IncomingResponse response;
  response.body.storage = state.take(input);
  response.body.bytes = state.body_in(response.body.storage);
  response.status = state.head.status;
  const auto field = [&](std::string_view name) {
    return find_header(state.head.fields, name).value_or(std::string_view());
  };
  response.content_type = field("content-type");
  response.content_encoding = field("content-encoding");
  response.keep_alive = field("keep-alive");
  response.retry_after = field("retry-after");
  response.reusable = state.head.keep_alive;
  state.reset();
  return response;
}

}  // namespace fnkit::http
