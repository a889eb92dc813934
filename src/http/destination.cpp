#include "http/destination.hpp"

#include <algorithm>

namespace fnkit::http {

bool Destination::Rules::allow(const PendingCall& call) const {
  return depth > 1 && ClientConnection::may_share(call) && sharing.allowed(now);
}

bool Destination::Rules::allow_behind(const ClientConnection& connection) const {
  return connection.can_be_shared() && connection.calls() < depth &&
         sharing.worth_it(connection.calls(), connection.first_waits());
}

ClientConnection* Destination::connection_for(const PendingCall& call, const Rules& rules) {
  const bool shares = rules.allow(call);
  ClientConnection* latest = busy.front();
  if (shares && latest != nullptr && latest->gathering() && rules.allow_behind(*latest)) {
    return latest;
  }
  while (ClientConnection* connection = free_ones.front()) {
    if (connection->free()) return connection;
    connection->unlink();
  }
  if (!shares) return nullptr;
  ClientConnection* best = nullptr;
  for (ClientConnection* each = busy.front(); each != nullptr; each = busy.next(*each)) {
    const bool fewer = best == nullptr || each->calls() < best->calls();
    if (fewer && rules.allow_behind(*each)) best = each;
  }
  return best;
}

size_t Destination::load() {
  size_t calls = connecting;
  for (ClientConnection* each = busy.front(); each != nullptr; each = busy.next(*each)) {
    calls += each->calls();
  }
  return calls;
}

void Destination::refused(Instant now, Random& random) {
  if (left_out(now)) return;  // one of several that tried at once
  const Duration wait =
      std::min(kLeftOutMax, kLeftOutMin * (int64_t{1} << std::min(refusals_, 8U)));
  const auto jitter =
      static_cast<Duration::rep>(random.below(static_cast<uint64_t>(wait.count()) / 4));
  left_out_until_ = now + wait - Duration(jitter);
  ++refusals_;
}

void Destinations::list(const std::vector<net::Address>& addresses) {
  for (auto& destination : all_) destination->listed = false;
  for (const net::Address& address : addresses) {
    const auto known = std::find_if(all_.begin(), all_.end(), [&](const auto& destination) {
      return destination->address == address;
    });
    if (known == all_.end()) {
      all_.push_back(std::make_unique<Destination>(address));
    } else {
      (*known)->listed = true;
    }
  }
}

void Destinations::forget_unlisted() {
  std::erase_if(all_, [](const auto& destination) {
    return !destination->listed && destination->connecting + destination->connections == 0;
  });
}

bool Destinations::none_listed() const {
  return std::none_of(all_.begin(), all_.end(),
                      [](const auto& destination) { return destination->listed; });
}

Destination* Destinations::least_loaded(For what, Instant now) {
  turn_before_ = next_;
  const size_t count = all_.size();
  Destination* best = nullptr;
  size_t best_load = 0;
  for (size_t i = 0; i < count; ++i) {
    const size_t place = (turn_before_ + i) % count;
    Destination& each = *all_[place];
    const bool may_connect = each.connecting < each.connecting_max();
    if (!each.listed || each.left_out(now) || (what == For::a_new_connection && !may_connect)) {
      continue;
    }
    const size_t load = count > 1 ? each.load() : 0;
    if (best != nullptr && load >= best_load) continue;
    best = &each;
    best_load = load;
    next_ = place + 1;
  }
  return best;
}

}  // namespace fnkit::http
