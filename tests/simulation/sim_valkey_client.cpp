#include "simulation/sim_valkey_client.hpp"

#include <algorithm>

#include "simulation/pause.hpp"

namespace fnkit::test {
namespace {

using std::chrono::milliseconds;

// How often one that hangs looks whether it still does.
constexpr Duration kHangLook = milliseconds(20);
// Longer than it takes for what was sent to be received.
constexpr Duration kArrival = milliseconds(50);

}  // namespace

SimValkeyClient::SimValkeyClient(SimulatedRing& ring, int fd, uint64_t number,
                                 const Duration& delay_max, const bool& hangs, uint64_t seed)
    : id(number),
      ring_(ring),
      fd_(fd),
      stream_(ring, fd),
      delay_max_(delay_max),
      hangs_(hangs),
      random_(seed) {}

coro::Task<std::optional<std::vector<std::string>>> SimValkeyClient::next_command() {
  while (true) {
    while (hangs_ && !ended_) co_await pause(ring_, kHangLook);
    Result<std::optional<valkey::Reply>> command = commands_.next();
    if (!command || ended_) co_return std::nullopt;
    if (*command) {
      std::vector<std::string> words;
      for (valkey::Reply& word : (*command)->elements) words.push_back(std::move(word.text));
      co_return words;
    }
    Result<size_t> received = co_await stream_.receive(kNever);
    if (!received || *received == 0) co_return std::nullopt;
    commands_.feed(stream_.input().view());
    stream_.input().clear();
  }
}

void SimValkeyClient::say(std::string_view bytes) {
  if (is_cut_) return;
  out_ += bytes;
  wake_.set();
}

void SimValkeyClient::cut(std::optional<Cut> cut) {
  if (is_cut_) return;
  cut_ = cut;
  wake_.set();
}

coro::Task<void> SimValkeyClient::send_all() {
  while (!ended_) {
    if (cut_ && cut_->after_bytes == 0) {
      co_await make_cut();
      break;
    }
    if (hangs_) {
      co_await pause(ring_, kHangLook);
      continue;
    }
    if (out_.empty()) {
      co_await wake_.wait();
      wake_.reset();
      continue;
    }
    if (delay_max_ > Duration::zero() && random_.chance(50)) {
      const Duration delay(random_.below(static_cast<uint64_t>(delay_max_.count())));
      co_await pause(ring_, delay);
    }
    const size_t bytes = cut_ ? std::min(out_.size(), cut_->after_bytes) : out_.size();
    if (bytes == 0) continue;  // cut meanwhile
    std::string now = out_.substr(0, bytes);
    out_.erase(0, bytes);
    if (cut_) cut_->after_bytes -= bytes;
    bytes_sent_ += bytes;
    const bool sent = co_await send(std::move(now));
    if (!sent) break;
  }
}

coro::Task<bool> SimValkeyClient::send(std::string bytes) {
  if (ended_) co_return false;
  const std::string_view part = bytes;
  stream_.start_send({&part, 1}, ring::SendMode::prompt, Duration::max());
  Result<void> sent = co_await stream_.sent();
  co_return static_cast<bool>(sent);
}

coro::Task<void> SimValkeyClient::make_cut() {
  is_cut_ = true;
  out_.clear();
  if (cut_->by == CutBy::end) ring_.shut_down_sending(fd_);
  if (cut_->by != CutBy::reset) co_return;
  co_await pause(ring_, kArrival);
  ring_.kill(fd_);
}

void SimValkeyClient::end() {
  ended_ = true;
  stream_.stop();
  wake_.set();
}

coro::Task<void> SimValkeyClient::close() { co_await stream_.close(); }

}  // namespace fnkit::test
