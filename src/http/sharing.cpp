#include "http/sharing.hpp"

#include <algorithm>

namespace fnkit::http {

void Sharing::answered(Duration service, Instant now) {
  usual_ += (service - usual_) / kWeight;
  if (trust_ < trusted_after_) ++trust_;
  if (now - last_answer_ > kGap * wait_max_) flowing_since_ = now;
  last_answer_ = now;
  // The average of a function that is slow once in a thousand times allows sharing. Whoever is
  // behind the slow one pays for it, so the next time is put off further and further. Where nobody
  // was answered meanwhile, all of the function, or of the machine, stood still: whoever shared has
  // lost nothing by it.
  const bool others_went_on = flowing_since_ <= now - service / 2;
  if (service > kSurprise * wait_max_ && others_went_on) pause(now);
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
