// What a task costs, and a turn of the loop.
#include <sys/socket.h>

#include "fnkit/coro/event.hpp"
#include "fnkit/coro/task_group.hpp"
#include "fnkit/net/stream.hpp"
#include "micro/measured.hpp"

namespace fnkit::bench {
namespace {

coro::Task<int> one() { co_return 1; }
coro::Task<void> add_one(int& sum) {
  const int addend = co_await one();
  sum += addend;
}

// Two frames made, run and freed, and that of their group.
void task_create(benchmark::State& state) {
  coro::TaskGroup group;
  int sum = 0;
  measured(state, [&] { group.spawn(add_one(sum)); });
  benchmark::DoNotOptimize(sum);
}
BENCHMARK(task_create)->Apply(as_asked);

coro::Task<void> wait_again(coro::Event& event, const bool& done) {
  while (!done) {
    co_await event.wait();
    event.reset();
  }
}

// A task waits for an event and goes on when it is set.
void task_resume(benchmark::State& state) {
  coro::Event event;
  bool done = false;
  coro::TaskGroup group;
  group.spawn(wait_again(event, done));
  auto& ready = coro::ReadyQueue::of_thread();
  measured(state, [&] {
    event.set();
    ready.run_batch();
  });
  done = true;
  event.set();
  ready.run_all();
}
BENCHMARK(task_resume)->Apply(as_asked);

coro::Task<void> close(net::Stream& one_end, net::Stream& other_end) {
  co_await one_end.close();
  co_await other_end.close();
}

// A byte over a socket pair: a send that is handed over, a receive that completes, in one turn.
void kernel_turn(benchmark::State& state) {
  auto ring = ring::make_kernel_ring();
  if (!ring) {
    state.SkipWithError(ring.error().reason.c_str());
    return;
  }
  int pair[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  net::Stream from(**ring, pair[0]);
  net::Stream to(**ring, pair[1]);
  const std::string_view byte = "x";
  measured(state, [&] {
    from.start_send({&byte, 1}, ring::SendMode::silent, std::chrono::seconds(1));
    while (to.input().empty() || from.sending()) (*ring)->turn();
    to.input().clear();
  });
  (*ring)->run(close(from, to));
}
BENCHMARK(kernel_turn)->Apply(as_asked);

}  // namespace
}  // namespace fnkit::bench
