#include "fnkit/coro/ready_queue.hpp"

namespace fnkit::coro {

ReadyQueue& ReadyQueue::of_thread() {
  thread_local ReadyQueue queue;
  return queue;
}

void ReadyQueue::run_batch() {
  IntrusiveList<ReadyNode, ReadyTag> batch;
  batch.append(queue_);
  while (ReadyNode* node = batch.pop_front()) node->handle.resume();
}

}  // namespace fnkit::coro
