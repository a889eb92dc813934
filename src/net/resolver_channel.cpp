#include "net/resolver_channel.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/time.h>

#include <algorithm>

namespace fnkit::net {
namespace {

// c-ares doubles the time with each round of the servers: a lost datagram or a dead server costs
// less than the patience of those who wait; 2.1 s a server in all.
constexpr int kQueryTimeoutMs = 300;
constexpr int kQueryTries = 3;
// How long anybody waits for a look-up.
constexpr Duration kPatience = std::chrono::seconds(1);
constexpr const char* kNoAnswer = "no answer from DNS within 1 s";
// How long after its expiry an address is used while the look-up goes on.
constexpr Duration kGrace = std::chrono::seconds(1);
// How soon to ask again for what is no longer fresh: soon, for an answer may have come.
constexpr Duration kGlance = std::chrono::milliseconds(100);

// IPv4 and IPv6 in turns: a kind that leads nowhere here does not crowd out the other.
std::vector<Address> addresses_of(const ares_addrinfo& result) {
  std::vector<Address> v4;
  std::vector<Address> v6;
  for (const ares_addrinfo_node* node = result.nodes; node != nullptr; node = node->ai_next) {
    std::vector<Address>& kind = node->ai_family == AF_INET6 ? v6 : v4;
    if (kind.size() == Resolver::kAddressesMax) continue;
    kind.emplace_back(node->ai_addr, static_cast<socklen_t>(node->ai_addrlen));
  }
  std::vector<Address> all;
  for (size_t i = 0; i < std::max(v4.size(), v6.size()); ++i) {
    if (i < v4.size()) all.push_back(v4[i]);
    if (i < v6.size()) all.push_back(v6[i]);
  }
  if (all.size() > Resolver::kAddressesMax) all.resize(Resolver::kAddressesMax);
  return all;
}

// The shortest of all records that led to the addresses.
Duration ttl_of(const ares_addrinfo& result) {
  int ttl = INT32_MAX;
  for (const auto* node = result.nodes; node != nullptr; node = node->ai_next) {
    ttl = std::min(ttl, node->ai_ttl);
  }
  for (const auto* cname = result.cnames; cname != nullptr; cname = cname->next) {
    ttl = std::min(ttl, cname->ttl);
  }
  return std::chrono::seconds(std::max(ttl, 0));
}

}  // namespace

Resolver::Channel::Entry::Entry(Channel& owner, std::string its_name)
    : channel(owner), name(std::move(its_name)), patience(&patience_is_over, this) {}

Resolver::Channel::Channel(ring::Ring& ring, const ResolverOptions& options)
    : ring_(ring), options_(options), timer_(&timer_fired, this) {
  [[maybe_unused]] static const int library_ready = ares_library_init(ARES_LIB_INIT_ALL);
  ares_options settings{};
  int given = ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES;
  settings.sock_state_cb = &socket_changed;
  settings.sock_state_cb_data = this;
  settings.timeout = kQueryTimeoutMs;
  settings.tries = kQueryTries;
#ifdef ARES_OPT_QUERY_CACHE  // newer than Debian 12; it would keep answers beyond our ttl_max
  settings.qcache_max_ttl = 0;
  given |= ARES_OPT_QUERY_CACHE;
#endif
  const int status = ares_init_options(&channel_, &settings, given);
  if (status != ARES_SUCCESS) {
    channel_ = nullptr;
    init_failure_ = ares_strerror(status);
  } else if (!options.servers.empty()) {
    use_servers(options.servers);
  }
}

Resolver::Channel::~Channel() { REQUIRE(closed_ && sockets_.empty()); }

void Resolver::Channel::use_servers(const std::vector<Address>& servers) {
  std::string list;
  for (const Address& server : servers) {
    if (!list.empty()) list += ",";
    list += server.to_text();
  }
  const int status = ares_set_servers_ports_csv(channel_, list.c_str());
  if (status == ARES_SUCCESS) return;
  ares_destroy(std::exchange(channel_, nullptr));
  init_failure_ = "DNS servers " + list + ": " + ares_strerror(status);
}

Resolver::Channel::Entry& Resolver::Channel::entry(const std::string& name) {
  const auto known = entries_.find(name);
  if (known != entries_.end()) return known->second;
  if (entries_.size() >= kNamesMax) forget_old_names();
  return entries_.try_emplace(name, *this, name).first->second;
}

void Resolver::Channel::forget_old_names() {
  std::erase_if(entries_, [this](const auto& named) {
    const Entry& entry = named.second;
    if (entry.asking || !entry.waiters.empty() || ring_.now() < entry.ask_again) return false;
    return entry.addresses.empty() || ring_.now() >= later(entry.expires, options_.stale_max);
  });
}

Instant Resolver::Channel::usable_until(const Entry& entry) const {
  if (entry.addresses.empty()) return Instant::min();
  return later(entry.expires, entry.failure.empty() ? kGrace : options_.stale_max);
}

Instant Resolver::Channel::fresh_until(const Entry& entry) const {
  if (ring_.now() < entry.expires) return entry.expires;
  return std::min(later(ring_.now(), kGlance), usable_until(entry));
}

void Resolver::Channel::ask(Entry& entry) {
  if (!entry.patience.linked()) ring_.timers().arm(entry.patience, later(ring_.now(), kPatience));
  if (entry.asking) return;
  entry.asking = true;
  entry.confirming = false;
  query(entry, AF_UNSPEC);
}

void Resolver::Channel::doubt(const std::string& name) {
  const auto known = entries_.find(name);
  if (known == entries_.end()) return;
  Entry& entry = known->second;
  if (ring_.now() < later(entry.told, options_.failure_ttl)) return;
  entry.expires = std::min(entry.expires, ring_.now() - kGrace);
  entry.ask_again = std::min(entry.ask_again, ring_.now());
}

void Resolver::Channel::query(Entry& entry, int family) {
  if (channel_ == nullptr) {
    take_answer(entry, ARES_ENOTINITIALIZED, nullptr);
    return;
  }
  ares_addrinfo_hints hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = ARES_AI_NOSORT;
  ares_getaddrinfo(channel_, entry.name.c_str(), nullptr, &hints, &answered, &entry);
  schedule();
}

void Resolver::Channel::answered(void* context, int status, int, ares_addrinfo* result) {
  auto& entry = *static_cast<Entry*>(context);
  entry.channel.take_answer(entry, status, result);
  if (result != nullptr) ares_freeaddrinfo(result);
}

void Resolver::Channel::take_answer(Entry& entry, int status, const ares_addrinfo* result) {
  if (status == ARES_SUCCESS && (result == nullptr || result->nodes == nullptr)) {
    status = ARES_ENODATA;
  }
  // c-ares tells only of the last of the two answers: "no data" for the one kind of address may
  // hide that asking for the other has failed.
  if (status == ARES_ENODATA && !entry.addresses.empty() && !entry.confirming) {
    entry.confirming = true;
    query(entry, entry.addresses.front().family());
    return;
  }
  entry.asking = false;
  entry.patience.unlink();
  if (status == ARES_SUCCESS) {
    const Duration ttl = std::clamp(ttl_of(*result), options_.ttl_min, options_.ttl_max);
    entry.addresses = addresses_of(*result);
    entry.expires = entry.ask_again = later(ring_.now(), ttl);
    entry.told = ring_.now();
    entry.failure.clear();
  } else if (status == ARES_ENOTINITIALIZED && !init_failure_.empty()) {
    fail(entry, init_failure_);
  } else {
    // The server's word that there is no such name is no failure of DNS.
    if (status == ARES_ENOTFOUND || status == ARES_ENODATA) entry.addresses.clear();
    fail(entry, status == ARES_ETIMEOUT ? kNoAnswer : ares_strerror(status));
  }
  tell(entry);
}

// The look-up itself goes on.
void Resolver::Channel::patience_is_over(void* context) {
  auto& entry = *static_cast<Entry*>(context);
  entry.channel.fail(entry, kNoAnswer);
  entry.channel.tell(entry);
}

void Resolver::Channel::tell(Entry& entry) {
  for (Waiter* each = entry.waiters.front(); each != nullptr; each = entry.waiters.next(*each)) {
    each->answered = true;
    each->ready.set();
  }
}

void Resolver::Channel::fail(Entry& entry, std::string why) {
  entry.failure = std::move(why);
  entry.ask_again = later(ring_.now(), options_.failure_ttl);
  entry.told = ring_.now();
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
