#include "fnkit/ring/wakeup.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace fnkit::ring {

Wakeup::Wakeup() : fd_(eventfd(0, EFD_CLOEXEC)) {
  INVARIANT(fd_ >= 0);
  operation_.handler = &completed;
  operation_.owner = this;
}

Wakeup::~Wakeup() { ::close(fd_); }

void Wakeup::notify() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(fd_, &one, sizeof one);  // cannot block: 2^64
}

void Wakeup::listen(Ring& ring, Action action, void* context) {
  ring_ = &ring;
  action_ = action;
  context_ = context;
  submit();
}

void Wakeup::submit() {
  operation_.read(fd_, counter_);
  ring_->submit(operation_);
}

coro::Task<void> Wakeup::stop() {
  if (ring_ == nullptr) co_return;
  stopping_ = true;
  ring_->cancel(operation_);
  if (operation_.submitted) co_await stopped_.wait();
}

void Wakeup::completed(Operation& operation) {
  auto& self = *static_cast<Wakeup*>(operation.owner);
  if (self.stopping_) {
    self.stopped_.set();
    return;
  }
  self.submit();
  self.action_(self.context_);
}

}  // namespace fnkit::ring
