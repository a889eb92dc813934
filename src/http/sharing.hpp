// Whether a function's calls may share connections: learnt from how it answers.
#pragma once

#include <cstdint>

#include "fnkit/base/time.hpp"

namespace fnkit::http {

// HTTP/1.1 cannot tell an answer sent twice, or out of the blue, from the next call's answer. So a
// function must have earned trust before calls are put behind each other, and loses it by a
// connection that breaks. Then what counts is what it would cost: a call waits for those before it.
class Sharing {
 public:
  // `wait_max` is what sharing may cost a call; trust takes so many good answers in a row.
  Sharing(Duration wait_max, unsigned trusted_after)
      : wait_max_(wait_max), trusted_after_(trusted_after) {}

  // A call was answered as it should be, after the function had it for so long.
  void answered(Duration service, Instant now);
  // A connection with a call on it has broken, or said what nobody asked for.
  void broke();
  // A connection that calls shared has broken. None share for a while that grows with each time.
  void broke_shared(Instant now);

  bool allowed(Instant now) const { return trust_ >= trusted_after_ && now >= paused_until_; }
  // A call may stand behind so many, of which the first has been waiting so long.
  bool worth_it(size_t calls_before, Duration first_waits) const {
    return first_waits <= wait_max_ && static_cast<int64_t>(calls_before) * usual_ <= wait_max_;
  }

 private:
  static constexpr int kWeight = 16;    // of what was known, against one answer
  static constexpr int kSurprise = 20;  // so many times the wait allowed is out of character
  static constexpr int kGap = 4;  // so many times the wait allowed without any answer is a gap
  static constexpr Duration kPauseMin = std::chrono::seconds(1);
  static constexpr Duration kPauseMax = std::chrono::minutes(5);

  void pause(Instant now);

  Duration wait_max_;
  unsigned trusted_after_;
  Duration usual_ = Duration::zero();  // how long a call takes: a moving average
  unsigned trust_ = 0;
  Instant last_answer_;
  Instant flowing_since_;       // answers have come without a gap
  Duration pause_ = kPauseMin;  // the next one's length
  Instant paused_until_;
};

}  // namespace fnkit::http
