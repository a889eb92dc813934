// The calls to one function that wait for a connection, in the order in which they will get one.
#pragma once

#include "http/pending_call.hpp"

namespace fnkit::http {

// First what goes out again, which has waited longest; then what goes on with a request that has
// had answers; then what begins one. Under more load than can be carried requests would otherwise
// be begun for nothing: each of their later calls would be one of too many.
class WaitingCalls {
 public:
  // Counted into `of_pool` too, which must outlive it.
  explicit WaitingCalls(size_t& of_pool) : of_pool_(of_pool) {}

  bool empty() const { return count_ == 0; }
  size_t count() const { return count_; }
  PendingCall* front() { return continuing_.empty() ? beginning_.front() : continuing_.front(); }
  // nullptr behind the last one.
  PendingCall* next(PendingCall& call) {
    if (begins(call)) return beginning_.next(call);
    PendingCall* following = continuing_.next(call);
    return following != nullptr ? following : beginning_.front();
  }

  void add(PendingCall& call) {
    ++count_;
    ++of_pool_;
    if (call.repeated) {
      continuing_.push_front(call);
    } else if (call.request.continues) {
      continuing_.push_back(call);
    } else {
      beginning_.push_back(call);
    }
  }
  void remove(PendingCall& call) {
    call.unlink();
    --count_;
    --of_pool_;
  }

  // Which one has to go where there would be too many with `call`, which does not wait yet: maybe
  // it itself.
  PendingCall& one_too_many(PendingCall& call) {
    PendingCall* newest = begins(call) ? nullptr : beginning_.back();
    return newest != nullptr ? *newest : call;
  }

 private:
  static bool begins(const PendingCall& call) { return !call.repeated && !call.request.continues; }

  IntrusiveList<PendingCall, WaitingTag> continuing_;
  IntrusiveList<PendingCall, WaitingTag> beginning_;
  size_t count_ = 0;
  size_t& of_pool_;
};

}  // namespace fnkit::http
