#include "server/beginners.hpp"

namespace fnkit::server {

bool Beginners::may_begin(bool crowded) {
  if (waiting_.empty() && !crowded) return true;
  ring_.defer_to_departure(departure_);
  return waiting_.empty() && begun_in_turn_++ < kInTurnMax;
}

coro::Task<void> Beginners::turn() {
  Waiting waiting;
  waiting_.push_back(waiting);
  co_await waiting.turn.wait();
  ring_.defer_to_departure(departure_);  // for those behind
}

void Beginners::departing(void* beginners) {
  auto& self = *static_cast<Beginners*>(beginners);
  self.begun_in_turn_ = 0;
  while (self.begun_in_turn_ < kInTurnMax && !self.waiting_.empty()) {
    ++self.begun_in_turn_;
    self.waiting_.pop_front()->turn.set();
  }
}

}  // namespace fnkit::server
