#include "store/dirty_keys.hpp"

#include <algorithm>

namespace fnkit::store {

void DirtyKeys::mark(std::string name) {
  const auto resting = resting_.find(name);
  if (resting != resting_.end()) {
    if (!std::exchange(resting->second, true)) ++dirty_resting_;
  } else if (ready_.size() < kNamesMax) {
    ready_.insert(std::move(name));
  } else {
    everything_ = true;
  }
}

void DirtyKeys::take_everything(Instant now) {
  everything_ = false;
  everything_after_ = later(now, kReadInterval);
}

void DirtyKeys::end_rests(Instant now) {
  while (!rests_.empty() && rests_.front().first <= now) {
    auto rested = resting_.extract(rests_.front().second);
    rests_.pop_front();
    if (!rested.mapped()) continue;
    --dirty_resting_;
    ready_.insert(std::move(rested.key()));
  }
}

std::vector<std::string> DirtyKeys::take(Instant now, size_t names_max) {
  std::vector<std::string> taken;
  if (now < next_round_) return taken;
  end_rests(now);
  while (!ready_.empty() && taken.size() < names_max) {
    taken.push_back(std::move(ready_.extract(ready_.begin()).value()));
    resting_.emplace(taken.back(), false);
    rests_.emplace_back(later(now, kReadInterval), taken.back());
  }
  if (!taken.empty() && ready_.empty()) next_round_ = later(now, kRoundInterval);
  return taken;
}

Instant DirtyKeys::due() const {
  Instant earliest = everything_ ? everything_after_ : kNever;
  if (!ready_.empty()) {
    earliest = std::min(earliest, next_round_);
  } else if (dirty_resting_ > 0) {
    earliest = std::min(earliest, std::max(rests_.front().first, next_round_));
  }
  return earliest;
}

}  // namespace fnkit::store
