#include "simulation/pause.hpp"

#include "fnkit/coro/event.hpp"

namespace fnkit::test {

coro::Task<void> pause(ring::Ring& ring, Duration duration) {
  coro::Event over;
  ring::Timer timer(&coro::Event::set_it, &over);
  ring.timers().arm(timer, later(ring.now(), duration));
  co_await over.wait();
}

}  // namespace fnkit::test
