// Coroutines that may go on, in the order in which they became ready. The loop resumes them; nobody
// else does, so no completion handler runs user code and no chain of resumptions grows the stack.
#pragma once

#include <coroutine>

#include "fnkit/base/intrusive_list.hpp"

namespace fnkit::coro {

struct ReadyTag;
// A suspended coroutine's place in the queue; lives in the awaiter that suspended it.
struct ReadyNode : ListNode<ReadyTag> {
  ReadyNode() = default;
  // A coroutine that waits here would never go on. Awaiters clear `handle` when they resume.
  ~ReadyNode() { REQUIRE(!handle); }

  std::coroutine_handle<> handle;
};

class ReadyQueue {
 public:
  // The calling thread's queue.
  static ReadyQueue& of_thread();

  bool empty() const { return queue_.empty(); }

  // `node.handle` will be resumed once, by run_batch(). `node` must live until then.
  void post(ReadyNode& node) { queue_.push_back(node); }

  // Resumes what was ready when called; what becomes ready meanwhile waits for the next batch, so
  // that the loop looks at the kernel in between.
  void run_batch();

  // Batches until none is ready: for tests and shutdown, where no completion is awaited.
  void run_all() {
    while (!empty()) run_batch();
  }

 private:
  IntrusiveList<ReadyNode, ReadyTag> queue_;
};

}  // namespace fnkit::coro
