#include "function_connection.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace identity {
namespace {

constexpr Nanoseconds kLinger = 2 * kSecond;
constexpr Nanoseconds kLateEnd = 400 * kMillisecond;
constexpr Nanoseconds kSilenceMin = 20 * kMillisecond;
// A call begun so long after bytes had arrived was begun by a program that could know of them.
constexpr Nanoseconds kGrace = 100 * kMillisecond;
constexpr size_t kUnsentMax = 256 * 1024;

}  // namespace

FunctionConnection::FunctionConnection(Loop& loop, int fd, Function& function)
    : loop_(loop), fd_(fd), function_(function) {
  function_.connections.fetch_add(1, std::memory_order_relaxed);
  loop_.watch(fd_, *this);
}

FunctionConnection::~FunctionConnection() { close(fd_); }

void FunctionConnection::ready(uint32_t events) {
  if (outburst_due_) {
    outburst_due_ = false;
    loop_.stop_timer(*this);
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
    const Pulled pulled = pull(fd_, in_);
    if (pulled == Pulled::ended || pulled == Pulled::reset) {
      if (pulled == Pulled::reset && spoken_ != 0 && !finishing_) ++function_.reset_unread;
      close_now();
      return;
    }
  }
  advance();
}

void FunctionConnection::time_is_over() {
  if (finishing_) {
    close_now();
  } else if (std::exchange(outburst_due_, false)) {
    speak_out_of_turn();
  } else {
    paused_ = false;
    advance();
  }
}

// Goes on until something has to be waited for.
void FunctionConnection::advance() {
  while (!gone_ && !paused_ && perform_acts()) {
    const auto call = next_call(std::string_view(in_).substr(taken_));
    if (!call || !call->body) {
      if (send_upto(out_.size()) && sent_ == out_.size()) rest();
      return;
    }
    take(*call);
    if (taken_ == in_.size()) {
      in_.clear();
      taken_ = 0;
    }
    if (!gone_ && out_.size() - sent_ > kUnsentMax && !send_upto(out_.size())) return;
  }
}

bool FunctionConnection::perform_acts() {
  while (acted_ < acts_.size()) {
    const Act next = acts_[acted_];
    if (!send_upto(next.upto) || sent_ < next.upto) return false;
    ++acted_;
    switch (next.kind) {
      case Act::Kind::pause:
        if (next.pause == 0) break;
        paused_ = true;
        loop_.start_timer(*this, now() + next.pause);
        return false;
      case Act::Kind::spoken: spoken_ = now(); break;
      case Act::Kind::finish: shutdown(fd_, SHUT_WR); [[fallthrough]];
      case Act::Kind::finish_late:
        finishing_ = true;
        spoken_ = now();
        loop_.start_timer(*this, spoken_ + (next.kind == Act::Kind::finish ? kLinger : kLateEnd));
        break;
      case Act::Kind::reset: make_reset(fd_); [[fallthrough]];
      case Act::Kind::close:
        pull(fd_, in_);
        close_now();
        return false;
    }
  }
  acts_.clear();
  acted_ = 0;
  return true;
}

// False where the connection turned out broken.
bool FunctionConnection::send_upto(size_t end) {
  if (!push(fd_, out_, sent_, end)) {
    pull(fd_, in_);
    close_now();
    return false;
  }
  const bool wants = sent_ < end;
  if (wants != wants_to_write_) loop_.watch_writing(fd_, *this, wants);
  wants_to_write_ = wants;
  return true;
}

void FunctionConnection::rest() {
  out_.clear();
  sent_ = 0;
  if (taken_ < in_.size() || finishing_ || spoken_ != 0 || function_.character.outburst == 0)
    return;
  Random random(mix(function_.connections, static_cast<uint64_t>(now())));
  if (!random.happens(function_.character.outburst)) return;
  outburst_due_ = true;
  loop_.start_timer(
      *this, now() + kSilenceMin + static_cast<Nanoseconds>(random.below(40)) * kMillisecond);
}

void FunctionConnection::speak_out_of_turn() {
  if (!alone()) return advance();
  out_ = answer_to_nothing();
  ++function_.out_of_turn;
  act(Act::Kind::spoken);
  advance();
}

// Nothing that has been sent to it is unanswered.
bool FunctionConnection::alone() {
  const Pulled pulled = pull(fd_, in_);
  return pulled == Pulled::nothing && taken_ == in_.size();
}

void FunctionConnection::close_now() {
  if (std::exchange(gone_, true)) return;
  note_the_rest();
  loop_.retire(*this);
}

std::optional<FunctionConnection::Call> FunctionConnection::next_call(std::string_view from) const {
  constexpr std::string_view kTarget = "POST /c?id=";
  const size_t end = from.find("\r\n\r\n");
  if (end == from.npos) return std::nullopt;
  Call call;
  call.head = from.substr(0, end + 2);
  if (from.starts_with(kTarget)) {
    const std::string_view target = from.substr(kTarget.size(), from.find("\r\n") - kTarget.size());
    if (target.substr(std::min(kIdBytes, target.size())) == " HTTP/1.1") {
      call.id = Id::parse(target.substr(0, kIdBytes));
    }
  }
  const size_t body = number(header(call.head, "content-length")).value_or(0);
  call.bytes = end + 4 + body;
  if (from.size() >= call.bytes) call.body = from.substr(end + 4, body);
  return call;
}

// The next of in_, whole.
void FunctionConnection::take(const Call& call) {
  if (spoken_ != 0) {
    cross(call);
    taken_ += call.bytes;
    if (!finishing_) close_now();
    return;
  }
  if (in_.size() - taken_ > call.bytes) ++function_.shared;
  const auto message = read(call);
  taken_ += call.bytes;
  if (call.id) function_.asked(*call.id);
  if (message) {
    answer(call, *message);
  } else {
    Random random(0);
    write_answer(500, "misfit", End::none, random);
  }
}

std::optional<Message> FunctionConnection::read(const Call& call) {
  std::string_view why;
  auto message = Message::parse(*call.body, why);
  const std::string id = call.id ? call.id->to_text() : "?";
  if (!call.id) {
    why = "no target of this test";
  } else if (message && message->id != *call.id) {
    why = "target and body are of two requests";
  } else if (header(call.head, "x-request-id") != id) {
    why = "target and x-request-id are of two requests";
  } else if (message && message->by.find(function_.name) != std::string::npos) {
    why = "its own output as its input";
  } else if (message) {
    return message;
  }
  function_.report(Event::misfit, id, why);
  return std::nullopt;
}

void FunctionConnection::cross(const Call& call) {
  if (!call.id) return;
  function_.asked(*call.id);
  std::string_view fault;
  const auto message = call.body ? Message::parse(*call.body, fault) : std::nullopt;
  const bool late = message && message->born > spoken_ + kGrace;
  if (!late && finishing_) return;  // on its way when the end was said
  const auto since = [&](Nanoseconds when) {
    return std::to_string((when - spoken_) / kMicrosecond) + " us";
  };
  std::string why = finishing_ ? "after connection: close" : "after an answer to nothing";
  why += ": arrived " + since(now());
  if (message) why += ", begun " + since(message->born);
  function_.report(late ? Event::late : Event::crossed, call.id->to_text(), why);
}

// What has arrived and will not be answered was asked for all the same.
void FunctionConnection::note_the_rest() {
  while (const auto call = next_call(std::string_view(in_).substr(taken_))) {
    if (spoken_ != 0) {
      cross(*call);
    } else if (call->id) {
      function_.asked(*call->id);
    }
    if (!call->body) return;
    taken_ += call->bytes;
  }
}

}  // namespace identity
