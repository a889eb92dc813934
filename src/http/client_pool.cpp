#include "fnkit/http/client_pool.hpp"

#include "http/upstream.hpp"

namespace fnkit::http {

std::string Endpoint::to_text() const {
  return address ? address->to_text() : host + ":" + std::to_string(port);
}

std::optional<CallError> Endpoint::forbids(const net::Address& found) const {
  if (!found.is_forbidden_for_functions()) return std::nullopt;
  const std::string name = address ? "" : "'" + host + "' resolves to ";
  return CallError{CallError::Kind::unreachable,
                   name + found.to_text() + ", an address that no function may have"};
}

ClientPool::ClientPool(ring::Ring& ring, net::Resolver& resolver, Random& random,
                       const ClientOptions& options, ClientCounts& counts)
    : shared_(new Shared{ring, resolver, random, options, counts, {}, 0, 0, {}, {}}) {}

ClientPool::~ClientPool() = default;

Upstream& ClientPool::upstream(const Endpoint& endpoint) {
  std::unique_ptr<Upstream>& known = upstreams_[endpoint.to_text()];
  if (known == nullptr) known = std::make_unique<Upstream>(endpoint, *shared_);
  return *known;
}

coro::Task<CallResult> ClientPool::call(Upstream& upstream, const OutgoingRequest& request,
                                        Instant deadline, coro::CancelScope& scope) {
  PendingCall call(&upstream, request, deadline, &Upstream::time_out);
  coro::CancelHook hook(&Upstream::cancel, &call);
  if (scope.cancelled()) {
    upstream.counts().cancelled.add();
    co_return CallError{CallError::Kind::cancelled, "the caller is gone"};
  }
  scope.add(hook);
  upstream.dispatch(call);
  co_await call.ended.wait();
  CallResult& outcome = *call.outcome;
  if (outcome) {
    upstream.counts().answered.add();
  } else if (outcome.error().kind == CallError::Kind::cancelled) {
    upstream.counts().cancelled.add();
  } else {
    upstream.counts().failed.add();
  }
  co_return std::move(outcome);
}

size_t ClientPool::calls_waiting() const { return shared_->waiting; }

CallCounts ClientPool::counts() const {
  CallCounts sum;
  shared_->counts.each([&sum](const EndpointCounts& each) {
    sum.answered += each.answered.get();
    sum.failed += each.failed.get();
    sum.cancelled += each.cancelled.get();
    sum.connected += each.connected.get();
    sum.shared += each.shared.get();
    sum.repeated += each.repeated.get();
  });
  return sum;
}

coro::Task<void> ClientPool::close() {
  shared_->closing.cancel();
  for (auto& [name, upstream] : upstreams_) upstream->close_free_ones();
  if (shared_->connections > 0) co_await shared_->none_left.wait();
  co_await shared_->tasks.join();
}

}  // namespace fnkit::http
