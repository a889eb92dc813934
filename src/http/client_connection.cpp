#include "http/client_connection.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

namespace fnkit::http {
namespace {

using Kind = CallError::Kind;

// What may still come for a call that was given up before the connection is.
constexpr size_t kDiscardBytesMax = 64 * 1024;
constexpr Duration kDiscardTime = std::chrono::seconds(1);

constexpr std::string_view kSpokeFirst = "the function spoke before the request was sent";

}  // namespace

ClientConnection::ClientConnection(ring::Ring& ring, int fd, const ClientOptions& options,
                                   Owner& owner, Counter& busy)
    : ring_(ring),
      options_(options),
      owner_(owner),
      busy_(busy),
      stream_(ring, fd, std::numeric_limits<size_t>::max()),
      parser_(options.limits),
      idle_timeout_(options.idle_timeout),
      work_([](void* self) { static_cast<ClientConnection*>(self)->work(); }, this),
      departure_([](void* self) { static_cast<ClientConnection*>(self)->send_line(); }, this),
      idle_timer_([](void* self) { static_cast<ClientConnection*>(self)->retire(); }, this),
      discard_timer_([](void* self) { static_cast<ClientConnection*>(self)->not_answered(); },
                     this) {
  // An answer is looked at in the turn in which bytes of it come; later looks change nothing.
  stream_.receive_directly(net::Stream::Direct::always);
  stream_.on_arrival(&look, this);
  stream_.on_sent(&look, this);
  ring_.defer(work_);
}

void ClientConnection::look(void* context) {
  auto& self = *static_cast<ClientConnection*>(context);
  self.ring_.defer(self.work_);
}

Duration ClientConnection::first_waits() const {
  return handed_over_ > 0 ? ring_.now() - line_.front().sent_at : Duration::zero();
}

void ClientConnection::add(PendingCall& call) {
  REQUIRE(free() || (can_be_shared() && may_share(call)));
  idle_timer_.unlink();
  call.connection = this;
  alone_ = !may_share(call);
  line_.push_back({&call, call.request.is_head, 0, 0, {}});
  if (line_.size() == 1) {
    busy_.add();
    first_changed();
  }
  ring_.defer_to_departure(departure_);
}

// What has come and what has ended. The owner is told last, because it may add calls, or destroy
// this when it has ended.
void ClientConnection::work() {
  if (sending_ && !stream_.sending()) send_ended();
  if (!ending_) read_answers();
  if (ending_) {
    if (!stream_.sending()) conclude();
    return;
  }
  if (line_.empty() && no_more_) {
    end(Ending::idle, Kind::broken, {});
    return;
  }
  if (gathering()) ring_.defer_to_departure(departure_);
  if (line_.empty() && !idle_timer_.linked()) {
    ring_.timers().arm(idle_timer_, later(ring_.now(), idle_timeout_));
  }
  if (std::exchange(shorter_, false)) owner_.has_room(*this);
}

void ClientConnection::send_ended() {
  sending_ = false;
  accepted_ += stream_.bytes_sent();
  outgoing_.clear();
  if (ending_) return;
  const int32_t result = stream_.send_result();
  if (result == -ETIMEDOUT) {
    end(Ending::in_use, Kind::not_read, "it does not read the request");
  } else if (result < 0 && result != -EPIPE && result != -ECONNRESET) {
    end(Ending::in_use, Kind::broken, Error::from_errno(-result, "send").message);
  }  // that the connection is gone is told by the receiving side too, perhaps behind an answer
}

void ClientConnection::read_answers() {
  while (!ending_ && (stream_.ended() || !stream_.input().empty())) {
    if (nobody_asked()) {
      if (stream_.input().empty()) {
        end(Ending::idle, Kind::broken, ended_before("the request was sent"));
      } else {
        end(Ending::in_use, Kind::broken, std::string(kSpokeFirst));
      }
      return;
    }
    const size_t in_line = line_.size();
    read_more_of_answer();
    if (line_.size() == in_line) return;
  }
}

// No byte of a request has left that is not answered yet: what comes now belongs to no call
// (RFC 9112 section 9.2).
bool ClientConnection::nobody_asked() const {
  return handed_over_ == 0 || line_.front().begins >= accepted();
}

void ClientConnection::read_more_of_answer() {
  const int broken = stream_.end_error();
  const bool at_end = stream_.ended() && broken == 0;
  if (!received_ && stream_.input().empty()) {
    end(Ending::in_use, Kind::broken, ended_before("an answer came"));
    return;
  }
  received_ = true;
  Result<Arrived, ProtocolError> arrived = parser_.advance(stream_.input(), at_end);
  if (!arrived) {
    end(Ending::in_use, Kind::protocol, std::string(arrived.error().reason));
  } else if (*arrived == Arrived::all) {
    take_answer();
  } else if (broken != 0) {
    end(Ending::in_use, Kind::broken, ended_before("the answer did"));
  } else if (Buffer::thread_holds_too_much()) {
    end(Ending::idle, Kind::too_much_held, "too many bytes are held for messages");
  } else if (line_.front().call == nullptr && stream_.input().size() > kDiscardBytesMax) {
    end(Ending::in_use, Kind::broken, "the call before it was given up and its answer is large");
  }
}

void ClientConnection::take_answer() {
  const Place first = line_.front();
  IncomingResponse answer = parser_.take(stream_.input());
  const Instant served_from = std::max(first.sent_at, std::exchange(last_answer_, ring_.now()));
  // An answer that comes before all of the request has left ends the sending and with it the
  // connection (RFC 9112 section 9.5).
  const bool request_was_read = first.ends <= accepted();
  const bool stays = answer.reusable && request_was_read;
  idle_timeout_ = options_.idle_time(answer.keep_alive);
  if (idle_timeout_ == Duration::zero()) no_more_ = true;
  used_ = true;
  if (!request_was_read) {
    // Its caller goes on when the kernel has let go of its bytes.
    early_answer_ = std::move(answer);
    end(Ending::in_use, Kind::broken, "the function answered before it had read the request");
    return;
  }
  leave_line(line_.begin());
  if (--handed_over_ == 0) shared_ = false;
  shorter_ = true;
  first_changed();
  if (first.call != nullptr) first.call->end(std::move(answer));
  if (!stays) {
    end(Ending::in_use, Kind::broken,
        "the function closed the connection behind the answer before");
  } else {
    owner_.answered(*this, ring_.observed_since(served_from));
  }
}

void ClientConnection::leave_line(std::vector<Place>::iterator place) {
  line_.erase(place);
  if (line_.empty()) busy_.subtract();
}

void ClientConnection::first_changed() {
  received_ = false;
  discard_timer_.unlink();
  if (line_.empty()) return;
  parser_.begin(line_.front().to_head);
  if (line_.front().call == nullptr) {
    ring_.timers().arm(discard_timer_, later(ring_.now(), kDiscardTime));
  }
}

// Whatever has been added since the last time, as one run of bytes. Only at the departure of a
// turn, so that a silent send has ended before the next.
void ClientConnection::send_line() {
  if (ending_ || stream_.sending() || !gathering()) return;
  if (handed_over_ == 0 && !still_silent()) return;
  std::string_view large_body;
  for (; handed_over_ < line_.size(); ++handed_over_) {
    Place& place = line_[handed_over_];
    const OutgoingRequest& request = place.call->request;
    outgoing_.append(request.head);
    if (alone_) {
      large_body = request.body;
    } else {
      outgoing_.append(request.body);
    }
    place.begins = handed_over_bytes_;
    handed_over_bytes_ += request.head.size() + request.body.size();
    place.ends = handed_over_bytes_;
    place.sent_at = ring_.departed();
  }
  if (handed_over_ > 1) shared_ = true;
  const std::string_view parts[] = {outgoing_.view(), large_body};
  const bool silent = large_body.size() <= ring::kSilentBytesMax;
  stream_.start_send(parts, silent ? ring::SendMode::silent : ring::SendMode::prompt,
                     options_.write_timeout);
  sending_ = true;
}

// What has come since the loop last looked came before the request, and would be taken for its
// answer once it is sent.
bool ClientConnection::still_silent() {
  switch (stream_.unread()) {
    case ring::Unread::nothing: return true;
    case ring::Unread::bytes: end(Ending::in_use, Kind::broken, std::string(kSpokeFirst)); break;
    case ring::Unread::end:
      end(Ending::idle, Kind::broken, ended_before("the request was sent"));
      break;
  }
  return false;
}

void ClientConnection::give_up(PendingCall& call, CallError why) {
  const auto place = std::find_if(line_.begin(), line_.end(),
                                  [&](const Place& each) { return each.call == &call; });
  INVARIANT(place != line_.end());
  const auto index = static_cast<size_t>(place - line_.begin());
  if (alone_ && index < handed_over_) {
    const bool unwanted = why.kind == Kind::cancelled;
    end(unwanted ? Ending::idle : Ending::in_use, why.kind, std::move(why.detail));
    return;
  }
  const bool late = why.kind != Kind::cancelled;
  place->call = nullptr;
  call.end(std::move(why));
  if (ending_) return;
  if (index >= handed_over_) {  // not sent yet: it was never here
    leave_line(place);
    if (index == 0) first_changed();
    shorter_ = true;
    ring_.defer(work_);
    return;
  }
  const bool nobody_waits = std::all_of(line_.begin(), line_.end(),
                                        [](const Place& each) { return each.call == nullptr; });
  if (nobody_waits && !late) {
    end(Ending::idle, Kind::broken, {});
  } else if (nobody_waits || (index == 0 && late)) {
    not_answered();
  } else if (index == 0) {
    ring_.timers().arm(discard_timer_, later(ring_.now(), kDiscardTime));
  }
}

void ClientConnection::not_answered() {
  end(Ending::in_use, Kind::broken, "the call before it was given up and is not answered");
}

void ClientConnection::retire() {
  no_more_ = true;
  if (line_.empty() && !ending_) end(Ending::idle, Kind::broken, {});
}

// What the first in line is told replaces what it would have been told before.
void ClientConnection::end(Ending how, Kind kind, std::string detail) {
  how_ = std::max(how_, how);
  why_ = {kind, std::move(detail)};
  if (std::exchange(ending_, true)) return;
  stream_.stop();
  ring_.defer(work_);
}

void ClientConnection::conclude() {
  idle_timer_.unlink();
  discard_timer_.unlink();
  if (shared_ && how_ == Ending::in_use) how_ = Ending::shared;
  // From the last on, because each that goes out again stands first.
  for (size_t i = line_.size(); i-- > 0;) judge(line_[i], i);
  if (!line_.empty()) busy_.subtract();
  line_.clear();
  owner_.ended(*this, how_);
}

// The table in the header.
void ClientConnection::judge(const Place& place, size_t index) {
  if (place.call == nullptr) return;
  PendingCall& call = *place.call;
  const bool first = index == 0;
  if (first && early_answer_) {
    call.end(std::move(*early_answer_));
    return;
  }
  const bool nothing_accepted = index >= handed_over_ || place.begins >= accepted_;
  const bool no_answer_yet = !first || !received_;
  const bool may_go_again = nothing_accepted || (call.request.may_repeat && used_ && no_answer_yet);
  const bool blameless = !first || why_.kind == Kind::broken;
  if (blameless && may_go_again && !call.repeated) {
    call.repeated = true;
    call.connection = nullptr;
    owner_.again(*this, call);
  } else if (first) {
    call.end(std::move(why_));
  } else {
    call.end(CallError{Kind::broken, "the connection ended before the answers before it had come"});
  }
}

std::string ClientConnection::ended_before(std::string_view what) const {
  std::string text = "the connection ended before ";
  text += what;
  const int error = stream_.end_error();
  if (error != 0) text += " (" + Error::from_errno(error, "receive").message + ")";
  return text;
}

coro::Task<void> ClientConnection::close() {
  idle_timer_.unlink();
  work_.unlink();
  departure_.unlink();
  co_await stream_.close();
}

}  // namespace fnkit::http
