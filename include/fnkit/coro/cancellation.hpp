// "Nobody wants the result any more", told to whatever is being waited for.
#pragma once

#include "fnkit/base/intrusive_list.hpp"

namespace fnkit::coro {

struct CancelTag;

// What to do when a scope is cancelled, registered for as long as this object lives.
class CancelHook : public ListNode<CancelTag> {
 public:
  using Action = void (*)(void* context);

  CancelHook(Action action, void* context) : action_(action), context_(context) {}
  void fire() { action_(context_); }

 private:
  Action action_;
  void* context_;
};

// Work that is given up as one. A scope made inside another is cancelled with it. cancel() runs the
// hooks, which stop operations; the tasks then end by themselves, each await returning its error.
class CancelScope {
 public:
  CancelScope() : in_outer_(&cancel_inner, this) {}
  explicit CancelScope(CancelScope& outer) : CancelScope() { outer.add(in_outer_); }
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;

  bool cancelled() const { return cancelled_; }

  // Idempotent.
  void cancel() {
    cancelled_ = true;
    while (CancelHook* hook = hooks_.pop_front()) hook->fire();
  }

  // Fires `hook` at once when already cancelled, else when that happens; `hook` leaves when
  // destroyed.
  void add(CancelHook& hook) {
    if (cancelled_) {
      hook.fire();
    } else {
      hooks_.push_back(hook);
    }
  }

 private:
  static void cancel_inner(void* scope) { static_cast<CancelScope*>(scope)->cancel(); }

  bool cancelled_ = false;
  IntrusiveList<CancelHook, CancelTag> hooks_;
  CancelHook in_outer_;
};

}  // namespace fnkit::coro
