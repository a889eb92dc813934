#include "http/sharing.hpp"

#include <algorithm>

namespace fnkit::http {

void Sharing::answered(Duration service, Instant now) {
  usual_ += (service - usual_) / kWeight;
  if (trust_ < trusted_after_) ++trust_;
  // The average of a function that is slow once in a thousand times allows sharing. Whoever is
  // behind the slow one pays for it, so the next time is put off further and further.
  if (service > kSurprise * wait_max_) pause(now);
}

void Sharing::broke() { trust_ = 0; }

void Sharing::broke_shared(Instant now) {
  broke();
  pause(now);
}

void Sharing::pause(Instant now) {
  if (now < paused_until_) return;
  // Long after the last one: begin anew.
  if (now > paused_until_ + 2 * kPauseMax) pause_ = kPauseMin;
  paused_until_ = now + pause_;
  pause_ = std::min(2 * pause_, kPauseMax);
}

}  // namespace fnkit::http
