// Opening connections.
#pragma once

#include "fnkit/coro/cancellation.hpp"
#include "fnkit/net/address.hpp"
#include "fnkit/ring/ring.hpp"

namespace fnkit::net {

// For how long an address that does not answer is waited for before another is tried as well
// (RFC 8305 section 5, Connection Attempt Delay).
inline constexpr Duration kAttemptDelay = std::chrono::milliseconds(250);

// A new connected socket, owned by the caller. Fails with the system's reason, with ETIMEDOUT at
// the deadline, with ECANCELED when `scope` is cancelled.
coro::Task<Result<int>> connect(ring::Ring& ring, Address address, Instant deadline,
                                coro::CancelScope& scope);

}  // namespace fnkit::net
