#include "fnkit/http/message_parser.hpp"

#include <algorithm>
#include <utility>

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
// For parts of a body that come in masses: what net::Stream receives straight into.
constexpr size_t kPartRoom = 64 * 1024;

using Checked = Result<void, ProtocolError>;

// What requests and responses have in common: a head, then a body by its framing. The input
// buffer's first byte is the message's or, where that goes by in parts, the first not yet taken.
struct MessageState {
  MessageState(MessageKind kind, const MessageLimits& message_limits)
      : limits(message_limits), scanner(kind, limits), chunked(limits) {}

  const MessageLimits limits;
  HeadScanner scanner;
  ChunkedDecoder chunked;
  Head head;
  const char* head_base = nullptr;  // where the head's views think that it begins
  bool has_head = false;
  bool in_parts = false;  // the head has been taken
  bool complete = false;
  size_t body_at = 0;       // in the input: behind the head, as long as that is there
  size_t body_bytes = 0;    // of the body: decoded, and in the input
  size_t passed_bytes = 0;  // of the body: taken
  bool body_begun = false;  // also where only a chunk's size line has come

  void reset() {
    scanner.reset();
    chunked.reset();
    has_head = in_parts = complete = body_begun = false;
    body_at = body_bytes = passed_bytes = 0;
  }

  void head_is(size_t bytes, const Buffer& input) {
    has_head = true;
    body_at = bytes;
    head_base = input.data();
  }

  Checked check_length() const {
    if (head.framing == Framing::length && head.content_length > limits.body_bytes_max) {
      return ProtocolError{413, "body too large"};
    }
    return {};
  }

  Result<Arrived, ProtocolError> advance_body(Buffer& input, bool ended) {
    const size_t received = input.size() - body_at;
    body_begun = body_begun || received > 0;
    Checked read = read_body(input, received, ended);
    if (!read) return read.error();
    return complete ? Arrived::all : Arrived::head;
  }

  Checked read_body(Buffer& input, size_t received, bool ended) {
    switch (head.framing) {
      case Framing::none: complete = true; break;
      case Framing::length: {
        const size_t rest = static_cast<size_t>(head.content_length) - passed_bytes;
        body_bytes = std::min(received, rest);
        complete = body_bytes == rest;
        if (!complete && !in_parts) make_room_for_body(input, received);
        break;
      }
      case Framing::chunked: return read_chunks(input);
      case Framing::until_close:
        if (received > limits.body_bytes_max - passed_bytes) {
          return ProtocolError{413, "body too large"};
        }
        body_bytes = received;
        complete = ended;
        break;
    }
    return {};
  }

  // Never more than the message will need: a large one is held once, and not almost twice.
  void make_room_for_body(Buffer& input, size_t received) const {
    const size_t rest = static_cast<size_t>(head.content_length) - received;
    const size_t next_turn = std::clamp(received, kTurnBytesMin, kTurnBytesMax);
    if (input.room() >= std::min(rest, next_turn)) return;
    input.make_exact_room(std::min(rest, std::max(received, kTurnBytesMin)));
  }

  Checked read_chunks(Buffer& input) {
    const size_t at = body_at + body_bytes;
    char* raw = input.data() + at;
    auto step = chunked.decode(raw, raw, input.size() - at, passed_bytes + body_bytes);
    if (!step) return step.error();
    body_bytes += step->produced;
    input.erase(at + step->produced, at + step->consumed);
    complete = step->complete;
    return {};
  }

  // The first `bytes`, head and all, as a buffer of their own; the head's views follow it.
  Buffer cut(Buffer& input, size_t bytes) {
    Buffer storage = input.take_front(bytes);
    rebase(storage);
    return storage;
  }

  void rebase(const Buffer& storage) {
    head.rebase(storage.data() - head_base);
    head_base = storage.data();
  }

  Buffer take_message(Buffer& input) { return cut(input, body_at + body_bytes); }

  Buffer take_head(Buffer& input) {
    in_parts = true;
    return cut(input, std::exchange(body_at, 0));
  }

  // Where bytes come in masses, room for more lets them come without being copied.
  BodyPart take_part(Buffer& input) {
    const size_t bytes = std::exchange(body_bytes, 0);
    passed_bytes += bytes;
    BodyPart part{input.take_front(bytes), complete};
    if (!complete && bytes >= kTurnBytesMin) input.make_room(kPartRoom);
    return part;
  }

  std::optional<uint64_t> body_length() const {
    if (head.framing == Framing::none) return 0;
    if (head.framing == Framing::length) return head.content_length;
    return std::nullopt;
  }
};

}  // namespace

struct RequestParser::State : MessageState {
  explicit State(const MessageLimits& message_limits)
      : MessageState(MessageKind::request, message_limits) {}
  size_t empty_lines = 0;

  void begin() {
    reset();
    empty_lines = 0;
  }
};

RequestParser::RequestParser(const MessageLimits& limits)
    : state_(std::make_unique<State>(limits)) {}
RequestParser::~RequestParser() = default;

Result<Arrived, ProtocolError> RequestParser::advance(Buffer& input) {
  State& state = *state_;
  if (!state.has_head) {
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
  state.rebase(input);
  Request request;
  request.method = state.head.method;
  request.target = state.head.target;
  request.minor_version = state.head.minor_version;
  request.authority = state.head.authority;
  request.headers = state.head.fields;
  return request;
}

bool RequestParser::expects_continue() const { return state_->head.expects_continue; }
bool RequestParser::keep_alive() const { return state_->head.keep_alive; }

bool RequestParser::has_head() const { return state_->has_head; }
bool RequestParser::body_begun() const { return state_->body_begun; }

Request RequestParser::take(Buffer& input) {
  State& state = *state_;
  Buffer storage = state.take_message(input);
  Request request = peek(storage);
  request.body = storage.view().substr(state.body_at);
  request.storage = std::move(storage);
  state.begin();
  return request;
}

Request RequestParser::take_head(Buffer& input) {
  Buffer storage = state_->take_head(input);
  Request request = peek(storage);
  request.storage = std::move(storage);
  return request;
}

BodyPart RequestParser::take_part(Buffer& input) {
  BodyPart part = state_->take_part(input);
  if (part.last) state_->begin();
  return part;
}

bool RequestParser::in_parts() const { return state_->in_parts; }
std::optional<uint64_t> RequestParser::body_length() const { return state_->body_length(); }

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
  while (!state.has_head) {
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
    input.consume(state.body_at);
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
  response.body.storage = state.take_message(input);
  response.body.bytes = response.body.storage.view().substr(state.body_at);
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

IncomingHead ResponseParser::take_head(Buffer& input) {
  State& state = *state_;
  Buffer storage = state.take_head(input);
  return {std::move(storage), state.head.status, state.head.fields, state.body_length(),
          state.head.keep_alive};
}

BodyPart ResponseParser::take_part(Buffer& input) { return state_->take_part(input); }

}  // namespace fnkit::http
