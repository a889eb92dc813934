// Says when the machine itself stood still: a thread on each CPU, of a priority that only the
// kernel and whoever runs the machine can hold up, wakes every millisecond and looks at the clock.
// Prints "stall CPU BEGIN END" (nanoseconds of the monotonic clock) where it was kept waiting for
// longer than kTold; until it is ended. Without the right to such a priority it has the usual one.
#include <pthread.h>
#include <sched.h>

#include <cstdio>
#include <thread>
#include <vector>

#include "soak/sockets.hpp"

namespace {

constexpr int64_t kInterval = 1'000'000;
constexpr int64_t kTold = 5'000'000;

std::vector<int> usable_cpus() {
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof mask, &mask) < 0) soak::die("cannot tell the CPUs");
  std::vector<int> cpus;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &mask)) cpus.push_back(cpu);
  }
  return cpus;
}

void watch(int cpu) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  sched_setaffinity(0, sizeof only, &only);
  const sched_param first{.sched_priority = 50};
  const bool preferred = sched_setscheduler(0, SCHED_FIFO, &first) == 0;
  std::printf("watching %d %s\n", cpu, preferred ? "before all others" : "among others");
  std::fflush(stdout);
  soak::Poller poller;
  while (true) {
    const int64_t due = soak::now() + kInterval;
    while (soak::now() < due) poller.wait(due);
    const int64_t woken = soak::now();
    if (woken - due < kTold) continue;
    std::printf("stall %d %lld %lld\n", cpu, static_cast<long long>(due),
                static_cast<long long>(woken));
    std::fflush(stdout);
  }
}

}  // namespace

int main() {
  std::vector<std::thread> threads;
  for (const int cpu : usable_cpus()) threads.emplace_back(watch, cpu);
  for (std::thread& thread : threads) thread.join();
}
