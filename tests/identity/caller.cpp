#include "caller.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace identity {
namespace {

constexpr size_t kBurstMax = 4;
constexpr size_t kQuotedMax = 300;

uint32_t draw_size(Random& random) {
  const uint64_t kind = random.below(10000);
  if (kind < 500) return 0;
  if (kind < 6500) return static_cast<uint32_t>(random.below(256));
  if (kind < 9300) return static_cast<uint32_t>(random.below(2048));
  if (kind < 9930) return static_cast<uint32_t>(random.below(8 * 1024));
  if (kind < 9998) return static_cast<uint32_t>(random.below(64 * 1024 + 1));
  return kPayloadBytesMax;
}

}  // namespace

void Totals::add(const Totals& other) {
  requests += other.requests;
  right += other.right;
  wrong += other.wrong;
  unanswered += other.unanswered;
  unasked += other.unasked;
  left += other.left;
  lost += other.lost;
  for (size_t i = 0; i < failed.size(); ++i) failed[i] += other.failed[i];
}

Caller::Caller(Loop& loop, Work& work, Totals& totals, size_t& working, uint32_t number)
    : loop_(loop), work_(work), totals_(totals), working_(working), number_(number) {}

Caller::~Caller() { shut(); }

void Caller::start() {
  open();
  next_burst();
}

void Caller::open() {
  fd_ = connect_to(work_.port);
  loop_.watch(fd_, *this);
}

void Caller::shut() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  in_.clear();
  wants_to_write_ = false;
}

void Caller::ready(uint32_t events) {
  if ((events & EPOLLOUT) != 0) send();
  if (fd_ >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive();
}

void Caller::time_is_over() {
  if (resting_) {
    resting_ = false;
    next_burst();
  } else if (leaving_.when == Leaving::When::after_request) {
    leave();
  } else {
    give_up("no answer in time");
  }
}

void Caller::next_burst() {
  if (work_.calls >= work_.calls_wanted) return finish();
  const Nanoseconds quiet_until = work_.quiet_until;
  if (now() < quiet_until) {
    resting_ = true;
    return loop_.start_timer(*this, quiet_until);
  }
  if (fd_ < 0) open();
  compose_burst();
  loop_.start_timer(*this, now() + work_.patience);
  send();
}

// Mostly one request; sometimes several, without waiting for answers between.
void Caller::compose_burst() {
  out_.clear();
  sent_ = 0;
  asked_.clear();
  answered_ = 0;
  Random random(0);
  size_t left = 1;
  for (bool first = true; left > 0; --left, first = false) {
    Message message;
    message.id = {number_, work_.sequence++};
    random = Random(mix(work_.seed, message.id.sequence));
    if (first && random.happens(1500)) left = 1 + random.between(1, kBurstMax - 1);
    if (message.id.sequence % work_.lull_every == work_.lull_every - 1) {
      const auto length = static_cast<Nanoseconds>(random.between(200, 400)) * kMillisecond;
      work_.quiet_until = now() + length;
    }
    message.size = draw_size(random);
    message.born = now();
    asked_.push_back({&work_.pipelines[random.below(work_.pipelines.size())], message});
    append_request(out_, asked_.back(), random.happens(1000));
  }
  draw_leaving(random);
}

void Caller::draw_leaving(Random& random) {
  leaving_ = {};
  if (!random.happens(work_.leaves)) return;
  using When = Leaving::When;
  constexpr When kWhens[] = {When::in_request, When::after_request, When::in_answer};
  leaving_.when = kWhens[random.below(3)];
  leaving_.reset = random.happens(5000);
  const bool in_request = leaving_.when == When::in_request;
  leaving_.bytes = in_request ? 1 + random.below(out_.size() - 1) : random.below(400);
}

void Caller::send() {
  const bool stops = leaving_.when == Leaving::When::in_request;
  const size_t end = stops ? leaving_.bytes : out_.size();
  if (!push(fd_, out_, sent_, end)) return give_up("the connection broke while it was sent");
  const bool wants = sent_ < end;
  if (wants != wants_to_write_) loop_.watch_writing(fd_, *this, wants);
  wants_to_write_ = wants;
  if (wants) return;
  if (stops) return leave();
  if (leaving_.when == Leaving::When::after_request) {
    loop_.start_timer(*this, now() + static_cast<Nanoseconds>(leaving_.bytes) * 10 * kMicrosecond);
  }
}

void Caller::receive() {
  const Pulled pulled = pull(fd_, in_);
  const bool leaves = leaving_.when == Leaving::When::in_answer && in_.size() >= leaving_.bytes;
  size_t taken = 0;
  while (answered_ < asked_.size() && !leaves) {
    Answer answer;
    size_t bytes = 0;
    const std::string_view rest = std::string_view(in_).substr(taken);
    const Next next = next_answer(rest, answer, bytes);
    if (next == Next::nothing) break;
    if (next == Next::broken) return give_up("an answer that is no HTTP of the program");
    check(asked_[answered_++], answer);
    taken += bytes;
    if (answer.closes) ++totals_.lost;
  }
  if (leaves && !in_.empty() && answered_ < asked_.size()) return leave();
  in_.erase(0, taken);
  const bool complete = answered_ == asked_.size();
  if (complete && !in_.empty()) {
    ++totals_.unasked;
    complain("unasked", asked_.empty() ? nullptr : &asked_.back(), "more than the answers", in_);
    shut();
  }
  if (pulled == Pulled::ended || pulled == Pulled::reset) {
    if (!complete) return give_up("the connection ended");
    shut();
  }
  if (complete && !resting_ && taken > 0) next_burst();
}

void Caller::check(const Asked& asked, const Answer& answer) {
  ++totals_.requests;
  const Verdict verdict = judge(asked, answer, work_.reliable);
  work_.calls += verdict.calls;
  switch (verdict.kind) {
    case Verdict::Kind::right: ++totals_.right; break;
    case Verdict::Kind::failed: ++totals_.failed[static_cast<size_t>(answer.status)]; break;
    case Verdict::Kind::wrong:
      ++totals_.wrong;
      complain("wrong", &asked, verdict.why, answer.body);
      break;
  }
}

// What is unanswered stays so, because the caller went.
void Caller::leave() {
  totals_.left += asked_.size() - answered_;
  work_.calls += asked_.size() - answered_;
  if (leaving_.reset) make_reset(fd_);
  shut();
  next_burst();
}

void Caller::give_up(const char* why) {
  for (size_t i = answered_; i < asked_.size(); ++i) {
    ++totals_.unanswered;
    ++work_.calls;
    complain("unanswered", &asked_[i], why, in_);
  }
  shut();
  next_burst();
}

void Caller::finish() {
  loop_.stop_timer(*this);
  resting_ = true;  // what still comes is unasked
  answered_ = asked_.size();
  if (--working_ == 0) loop_.stop();
}

void Caller::complain(const char* kind, const Asked* asked, std::string_view why,
                      std::string_view got) {
  std::string quoted(got.substr(0, kQuotedMax));
  std::replace_if(
      quoted.begin(), quoted.end(), [](char c) { return c < ' ' || c > '~'; }, '.');
  const std::string id = asked == nullptr ? "?" : asked->message.id.to_text();
  const char* pipeline = asked == nullptr ? "?" : asked->pipeline->name.c_str();
  std::printf("%s %s %s %.*s: %s\n", kind, id.c_str(), pipeline, static_cast<int>(why.size()),
              why.data(), quoted.c_str());
}

}  // namespace identity
