#include "fnkit/http/client_pool.hpp"

#include "http/upstream.hpp"

namespace fnkit::http {

std::string Endpoint::to_text() const {
  return address ? address->to_text() : host + ":" + std::to_string(port);
}

ClientPool::ClientPool(ring::Ring& ring, net::Resolver& resolver, Random& random,
                       const ClientOptions& options)
    : shared_(new Shared{ring, resolver, random, options, {}, {}, 0, {}, {}}) {}

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
    ++shared_->counts.cancelled;
    co_return CallError{CallError::Kind::cancelled, "the caller is gone"};
  }
  scope.add(hook);
  upstream.dispatch(call);
  co_await call.ended.wait();
  CallResult& outcome = *call.outcome;
  if (outcome) {
    ++shared_->counts.answered;
  } else if (outcome.error().kind == CallError::Kind::cancelled) {
    ++shared_->counts.cancelled;
  } else {
    ++shared_->counts.failed;
  }
  co_return std::move(outcome);
}

const CallCounts& ClientPool::counts() const { return shared_->counts; }

coro::Task<void> ClientPool::close() {
  shared_->closing.cancel();
  for (auto& [name, upstream] : upstreams_) upstream->close_free_ones();
  if (shared_->connections > 0) co_await shared_->none_left.wait();
  co_await shared_->tasks.join();
}

}  // namespace fnkit::http
