// Opening connections.
#pragma once

#include "fnkit/coro/cancellation.hpp"
#include "fnkit/net/address.hpp"
#include "fnkit/ring/ring.hpp"

namespace fnkit::net {

// A new connected socket, owned by the caller. Fails with the system's reason, with ETIMEDOUT at
// the deadline, with ECANCELED when `scope` is cancelled.
coro::Task<Result<int>> connect(ring::Ring& ring, Address address, Instant deadline,
                                coro::CancelScope& scope);

}  // namespace fnkit::net
