// How many requests begin in a turn of the loop, while there are more than can be served at once.
#pragma once

#include "fnkit/base/intrusive_list.hpp"
#include "fnkit/coro/event.hpp"
#include "fnkit/coro/task.hpp"
#include "fnkit/ring/ring.hpp"

namespace fnkit::server {

// In a crowd kInTurnMax begin in each turn; further ones wait for the next, behind the answers that
// have come. Else a crowd of callers makes turns long and calls few, and all of the core's time
// goes into refusals. One thread; empty when destroyed.
class Beginners {
 public:
  static constexpr size_t kInTurnMax = 8;

  explicit Beginners(ring::Ring& ring) : ring_(ring) {}

  // False: it is to wait for its turn(). `crowded`: there are more requests than can be served.
  bool may_begin(bool crowded);
  coro::Task<void> turn();

 private:
  struct WaitingTag;
  struct Waiting : ListNode<WaitingTag> {
    coro::Event turn;
  };

  static void departing(void* beginners);

  ring::Ring& ring_;
  IntrusiveList<Waiting, WaitingTag> waiting_;
  size_t begun_in_turn_ = 0;
  ring::Deferred departure_{&departing, this};
};

}  // namespace fnkit::server
