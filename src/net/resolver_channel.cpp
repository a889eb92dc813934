#include "net/resolver_channel.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/time.h>

#include <algorithm>

namespace fnkit::net {
namespace {

// c-ares doubles the time with each try: 3 s in all, within the default connect timeout, so that
// DNS that does not answer is told as such.
constexpr int kQueryTimeoutMs = 1000;
constexpr int kQueryTries = 2;

Instant after(Instant now, Duration wanted, const ResolverOptions& options) {
  return now + std::clamp(wanted, options.ttl_min, options.ttl_max);
}

}  // namespace

Resolver::Channel::Channel(ring::Ring& ring, const ResolverOptions& options)
    : ring_(ring), options_(options), timer_(&timer_fired, this) {
  [[maybe_unused]] static const int library_ready = ares_library_init(ARES_LIB_INIT_ALL);
  ares_options settings{};
  settings.sock_state_cb = &socket_changed;
  settings.sock_state_cb_data = this;
  settings.timeout = kQueryTimeoutMs;
  settings.tries = kQueryTries;
  const int status = ares_init_options(
      &channel_, &settings, ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);
  if (status != ARES_SUCCESS) init_failure_ = ares_strerror(status);
}

Resolver::Channel::~Channel() { REQUIRE(closed_ && sockets_.empty()); }

void Resolver::Channel::ask(const std::string& name, Entry& entry) {
  if (entry.asking) return;
  entry.asking = true;
  entry.channel = this;
  if (channel_ == nullptr) {
    entry.failure = init_failure_;
    take_answer(entry, ARES_ENOTINITIALIZED, nullptr);
    return;
  }
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_NOSORT;
  ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &answered, &entry);
  schedule();
}

void Resolver::Channel::answered(void* context, int status, int, ares_addrinfo* result) {
  auto& entry = *static_cast<Entry*>(context);
  entry.channel->take_answer(entry, status, result);
}

void Resolver::Channel::take_answer(Entry& entry, int status, ares_addrinfo* result) {
  const Instant now = ring_.now();
  entry.asking = false;
  if (status == ARES_SUCCESS && result != nullptr && result->nodes != nullptr) {
    entry.addresses.clear();
    entry.failure.clear();
    int ttl = INT32_MAX;
    for (const ares_addrinfo_node* node = result->nodes; node != nullptr; node = node->ai_next) {
      entry.addresses.emplace_back(node->ai_addr, static_cast<socklen_t>(node->ai_addrlen));
      ttl = std::min(ttl, node->ai_ttl);
    }
    entry.expires = after(now, std::chrono::seconds(std::max(ttl, 0)), options_);
    entry.stale_until = entry.expires + options_.stale_max;
  } else {
    entry.failure = status == ARES_SUCCESS ? "no address" : ares_strerror(status);
    entry.expires = now + options_.failure_ttl;
    // The server's word that there is no such name is no failure of DNS.
    if (status == ARES_ENOTFOUND || status == ARES_ENODATA) entry.addresses.clear();
  }
  if (result != nullptr) ares_freeaddrinfo(result);
  while (Waiter* waiter = entry.waiters.pop_front()) waiter->ready.set();
}

void Resolver::Channel::socket_changed(void* context, ares_socket_t fd, int readable,
                                       int writable) {
  auto& self = *static_cast<Channel*>(context);
  const uint32_t wanted =
      (readable != 0 ? uint32_t{POLLIN} : 0U) | (writable != 0 ? uint32_t{POLLOUT} : 0U);
  const auto found =
      std::find_if(self.sockets_.begin(), self.sockets_.end(),
                   [fd](const auto& socket) { return socket->fd == fd && socket->wanted != 0; });
  if (found == self.sockets_.end()) {
    if (wanted == 0) return;
    auto socket = std::make_unique<Socket>();
    socket->channel = &self;
    socket->fd = fd;
    socket->wanted = wanted;
    self.watch(*socket);
    self.sockets_.push_back(std::move(socket));
    return;
  }
  Socket& socket = **found;
  if (socket.wanted == wanted) return;
  socket.wanted = wanted;  // 0: c-ares closes it; the poll ends and is forgotten
  self.ring_.cancel(socket.poll);
}

void Resolver::Channel::watch(Socket& socket) {
  socket.poll.poll(socket.fd, socket.wanted);
  socket.poll.handler = &polled;
  socket.poll.owner = &socket;
  ring_.submit(socket.poll);
}

void Resolver::Channel::polled(ring::Operation& operation) {
  auto& socket = *static_cast<Socket*>(operation.owner);
  Channel& self = *socket.channel;
  if (operation.result > 0 && socket.wanted != 0) {
    const auto events = static_cast<uint32_t>(operation.result);
    const bool readable = (events & (POLLIN | POLLERR | POLLHUP)) != 0;
    const bool writable = (events & POLLOUT) != 0;
    ares_process_fd(self.channel_, readable ? socket.fd : ARES_SOCKET_BAD,
                    writable ? socket.fd : ARES_SOCKET_BAD);
  }
  if (socket.wanted != 0 && !operation.submitted) self.watch(socket);
  self.schedule();
  self.forget_ended_sockets();
}

void Resolver::Channel::forget_ended_sockets() {
  std::erase_if(sockets_,
                [](const auto& socket) { return socket->wanted == 0 && !socket->poll.submitted; });
  if (closed_ && sockets_.empty()) sockets_gone_.set();
}

void Resolver::Channel::schedule() {
  if (channel_ == nullptr) return;
  timeval next{};
  if (ares_timeout(channel_, nullptr, &next) == nullptr) {
    timer_.unlink();
    return;
  }
  const Duration wait = std::chrono::seconds(next.tv_sec) + std::chrono::microseconds(next.tv_usec);
  ring_.timers().arm(timer_, later(ring_.now(), wait));
}

void Resolver::Channel::timer_fired(void* context) {
  auto& self = *static_cast<Channel*>(context);
  ares_process_fd(self.channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  self.schedule();
  self.forget_ended_sockets();
}

coro::Task<void> Resolver::Channel::close() {
  closed_ = true;
  timer_.unlink();
  // Answers every query under way with ARES_EDESTRUCTION and closes the sockets.
  if (channel_ != nullptr) ares_destroy(std::exchange(channel_, nullptr));
  forget_ended_sockets();
  if (!sockets_.empty()) co_await sockets_gone_.wait();
}

}  // namespace fnkit::net
