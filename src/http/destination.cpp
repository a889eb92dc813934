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

}  // namespace fnkit::http
