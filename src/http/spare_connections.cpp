#include "fnkit/http/spare_connections.hpp"

namespace fnkit::http {

void SpareConnections::keep(const std::string& endpoint, std::unique_ptr<net::Stream> stream,
                            Duration idle_time) {
  const auto known = endpoints_.find(endpoint);
  const bool enough = known != endpoints_.end() && known->second.count == each_max_;
  if (idle_time <= Duration::zero() || enough) {
    discard(std::move(stream));
    return;
  }
  const auto to = endpoints_.try_emplace(endpoint).first;
  auto* spare = new Spare(*this, to, std::move(stream));
  to->second.list.push_front(*spare);
  ++to->second.count;
  spare->stream->on_arrival(&is_over, spare);
  ring_.timers().arm(spare->timer, later(ring_.now(), idle_time));
}

// What has come since the loop last looked would be taken for the next call's answer.
std::unique_ptr<net::Stream> SpareConnections::take(const std::string& endpoint) {
  while (true) {
    const auto known = endpoints_.find(endpoint);
    if (known == endpoints_.end()) return nullptr;
    std::unique_ptr<net::Stream> stream = remove(*known->second.list.front());
    const bool silent =
        !stream->ended() && stream->input().empty() && stream->unread() == ring::Unread::nothing;
    if (silent) return stream;
    discard(std::move(stream));
  }
}

void SpareConnections::discard(std::unique_ptr<net::Stream> stream) {
  closing_.spawn(close_and_free(std::move(stream)));
}

coro::Task<void> SpareConnections::close() {
  while (!endpoints_.empty()) drop(*endpoints_.begin()->second.list.front());
  co_await closing_.join();
}

void SpareConnections::drop(Spare& spare) { discard(remove(spare)); }

std::unique_ptr<net::Stream> SpareConnections::remove(Spare& spare) {
  std::unique_ptr<net::Stream> stream = std::move(spare.stream);
  stream->on_arrival(nullptr, nullptr);
  const Endpoints::iterator from = spare.endpoint;
  delete &spare;
  if (--from->second.count == 0) endpoints_.erase(from);
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
