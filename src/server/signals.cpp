#include "server/signals.hpp"

#include <unistd.h>

#include <csignal>

namespace fnkit::server {

Signals::Signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  fd_ = signalfd(-1, &set, SFD_CLOEXEC);
  INVARIANT(fd_ >= 0);
  operation_.handler = &completed;
  operation_.owner = this;
}

Signals::~Signals() { ::close(fd_); }

void Signals::listen(ring::Ring& ring, Handler& handler) {
  ring_ = &ring;
  handler_ = &handler;
  submit();
}

void Signals::submit() {
  operation_.read(fd_, {reinterpret_cast<char*>(&info_), sizeof info_});
  ring_->submit(operation_);
}

coro::Task<void> Signals::stop() {
  stopping_ = true;
  ring_->cancel(operation_);
  if (operation_.submitted) co_await stopped_.wait();
}

void Signals::completed(ring::Operation& operation) {
  auto& self = *static_cast<Signals*>(operation.owner);
  if (self.stopping_) {
    self.stopped_.set();
    return;
  }
  const auto signal = static_cast<int>(self.info_.ssi_signo);
  self.submit();
  self.handler_->signalled(signal);
}

}  // namespace fnkit::server
