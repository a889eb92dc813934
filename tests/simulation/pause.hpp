// Waiting for simulated time to pass.
#pragma once

#include "fnkit/coro/task.hpp"
#include "fnkit/ring/ring.hpp"

namespace fnkit::test {

coro::Task<void> pause(ring::Ring& ring, Duration duration);

}  // namespace fnkit::test
