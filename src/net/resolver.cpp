#include "fnkit/net/resolver.hpp"

#include <cerrno>

#include "fnkit/base/text.hpp"
#include "net/resolver_channel.hpp"

namespace fnkit::net {
namespace {

Resolved with_port(std::vector<Address> addresses, uint16_t port, Instant fresh_until) {
  for (Address& address : addresses) address.set_port(port);
  return {std::move(addresses), fresh_until};
}

// RFC 6761 section 6.3: these names are the loopback addresses, with or without a hosts file.
bool is_localhost(std::string_view host) {
  constexpr std::string_view kName = "localhost";
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  if (equals_ignoring_case(host, kName)) return true;
  return host.size() > kName.size() &&
         equals_ignoring_case(host.substr(host.size() - kName.size()), kName) &&
         host[host.size() - kName.size() - 1] == '.';
}

}  // namespace

Resolver::Resolver(ring::Ring& ring, const ResolverOptions& options)
    : channel_(std::make_unique<Channel>(ring, options)) {}
Resolver::~Resolver() = default;

coro::Task<Result<Resolved>> Resolver::resolve(std::string host, uint16_t port, Instant deadline,
                                               coro::CancelScope& scope) {
  const std::string bracketed = host.find(':') == std::string::npos ? host : "[" + host + "]";
  Result<Address> literal = Address::parse(bracketed + ":" + std::to_string(port));
  if (literal) co_return Resolved{{*literal}, kNever};
  if (is_localhost(host)) {
    co_return with_port({*Address::parse("127.0.0.1:0"), *Address::parse("[::1]:0")}, port, kNever);
  }
  ring::Ring& ring = channel_->ring();
  Channel::Entry& entry = channel_->entry(host);
  if (ring.now() >= entry.ask_again) channel_->ask(entry);
  if (entry.asking && ring.now() >= entry.ask_again &&
      ring.now() >= channel_->usable_until(entry)) {
    Channel::Waiter waiter;
    coro::CancelHook hook(&coro::Event::set_it, &waiter.ready);
    ring::Timer timer(&coro::Event::set_it, &waiter.ready);
    entry.waiters.push_back(waiter);
    scope.add(hook);
    ring.timers().arm(timer, deadline);
    co_await waiter.ready.wait();
    if (scope.cancelled() || channel_->closed()) {
      co_return Error::from_errno(ECANCELED, "look up '" + host + "'");
    }
    if (!waiter.answered) co_return Error::from_errno(ETIMEDOUT, "look up '" + host + "'");
  }
  if (ring.now() >= channel_->usable_until(entry)) {
    co_return Error{"cannot resolve '" + host + "': " + entry.failure};
  }
  co_return with_port(entry.addresses, port, channel_->fresh_until(entry));
}

void Resolver::doubt(const std::string& host) { channel_->doubt(host); }

coro::Task<void> Resolver::close() { co_await channel_->close(); }

size_t Resolver::names_known() const { return channel_->names_known(); }

}  // namespace fnkit::net
