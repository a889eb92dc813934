// Names that are said to have changed and have not been read since. No I/O.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fnkit/base/time.hpp"

namespace fnkit::store {

// The first change of a name after quiet may be read at once, further ones kReadInterval after the
// last reading of that name: a storm of writes to one costs fifty readings a second. Names are read
// in rounds, of which the next begins kRoundInterval after the last one's end: a storm of writes to
// many costs 250 round trips and snapshots a second, however many names it has.
class DirtyKeys {
 public:
  static constexpr Duration kReadInterval = std::chrono::milliseconds(20);
  static constexpr Duration kRoundInterval = std::chrono::milliseconds(4);
  // More at a time are "everything".
  static constexpr size_t kNamesMax = 100'000;

  void mark(std::string name);
  void mark_everything() { everything_ = true; }

  bool everything_due(Instant now) const { return everything_ && now >= everything_after_; }
  // Before everything is read. Names that were told of stay dirty: they need not wait for its end.
  void take_everything(Instant now);
  // Before they are read: at most `names_max` names that may be read now; they are dirty no more.
  std::vector<std::string> take(Instant now, size_t names_max);

  // When to call take() next; it may then yield nothing. kNever where nothing is dirty.
  Instant due() const;

 private:
  void end_rests(Instant now);

  Instant next_round_{};
  std::set<std::string> ready_;  // dirty, and not read of late
  // Read in the last kReadInterval; true: dirty again since.
  std::map<std::string, bool> resting_;
  std::deque<std::pair<Instant, std::string>> rests_;  // their ends, the earliest first
  size_t dirty_resting_ = 0;
  bool everything_ = false;
  Instant everything_after_{};
};

}  // namespace fnkit::store
