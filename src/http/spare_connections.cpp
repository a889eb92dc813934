#include "fnkit/http/spare_connections.hpp"

namespace fnkit::http {

void SpareConnections::keep(const std::string& endpoint, std::unique_ptr<net::Stream> stream,
                            Duration idle_time) {
  Endpoint& to = endpoints_[endpoint];
  if (idle_time <= Duration::zero() || to.count == each_max_) {
    discard(std::move(stream));
    return;
  }
  auto* spare = new Spare(*this, to, std::move(stream));
  to.spares.push_front(*spare);
  ++to.count;
  spare->stream->on_arrival(&is_over, spare);
  ring_.timers().arm(spare->timer, later(ring_.now(), idle_time));
}

// What has come since the loop last looked would be taken for the next call's answer.
std::unique_ptr<net::Stream> SpareConnections::take(const std::string& endpoint) {
  const auto known = endpoints_.find(endpoint);
  if (known == endpoints_.end()) return nullptr;
  while (Spare* spare = known->second.spares.front()) {
    std::unique_ptr<net::Stream> stream = remove(*spare);
    const bool silent =
        !stream->ended() && stream->input().empty() && stream->unread() == ring::Unread::nothing;
    if (silent) return stream;
    discard(std::move(stream));
  }
  return nullptr;
}

void SpareConnections::discard(std::unique_ptr<net::Stream> stream) {
  closing_.spawn(close_and_free(std::move(stream)));
}

coro::Task<void> SpareConnections::close() {
  for (auto& [name, endpoint] : endpoints_) {
    while (Spare* spare = endpoint.spares.front()) drop(*spare);
  }
  co_await closing_.join();
}

void SpareConnections::drop(Spare& spare) { discard(remove(spare)); }

std::unique_ptr<net::Stream> SpareConnections::remove(Spare& spare) {
  std::unique_ptr<net::Stream> stream = std::move(spare.stream);
  stream->on_arrival(nullptr, nullptr);
  --spare.endpoint.count;
  delete &spare;
  return stream;
}

coro::Task<void> SpareConnections::close_and_free(std::unique_ptr<net::Stream> stream) {
  co_await stream->close();
}

void SpareConnections::is_over(void* context) {
  auto& spare = *static_cast<Spare*>(context);
  spare.owner.drop(spare);
}

}  // namespace fnkit::http
