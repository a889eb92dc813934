#include "fnkit/server/server.hpp"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <thread>

#include "fnkit/base/log.hpp"
#include "fnkit/observe/journal.hpp"
#include "server/control.hpp"
#include "server/listeners.hpp"
#include "server/memory_limit.hpp"
#include "server/signals.hpp"

namespace fnkit::server {
namespace {

// Descriptors that are not callers' connections: rings, listeners, calls to functions, files.
constexpr size_t kDescriptorsReserved = 256;
// Without these it could not even start.
constexpr size_t kDescriptorsNeeded = 64;

int report(std::string_view message, std::string_view detail, int exit_code) {
  log_event(LogLevel::error, "server", message, {{"detail", detail}});
  return exit_code;
}

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

// Every descriptor that the hard limit allows; and no more connections a core than there would be
// descriptors for, each caller's with one to a function.
Result<size_t> connections_allowed(const Settings& settings) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < kDescriptorsNeeded) {
    return Error{"the limit of open files is " + std::to_string(limit.rlim_cur) +
                 "; raise it with: ulimit -n 65536 (systemd: LimitNOFILE=65536)"};
  }
  const size_t descriptors = std::max<size_t>(limit.rlim_cur, 2 * kDescriptorsReserved);
  const size_t share = (descriptors - kDescriptorsReserved) / (2 * settings.cpus.size());
  return std::min(settings.connections_max, std::max<size_t>(share, 1));
}

// As far as a control group lets it: half of its memory for messages. The other half is for all
// that counts as well: what sockets hold in the kernel, connections, pipelines.
size_t held_bytes_allowed(const Settings& settings) {
  const std::optional<size_t> limit = memory_limit();
  if (!limit) return settings.held_bytes_max;
  const size_t share = *limit / 2 / settings.cpus.size();
  if (share >= settings.held_bytes_max) return settings.held_bytes_max;
  log_event(LogLevel::info, "server", "fewer bytes are held for messages than asked for",
            {{"bytes", std::to_string(share)},
             {"detail", "half of the memory limit of the control group, by cores"},
             {"memory-limit", std::to_string(*limit)}});
  return share;
}

void announce(const Settings& settings, const Listeners& listeners) {
  for (const net::Address& address : listeners.addresses) {
    log_event(LogLevel::info, "server", "listening", {{"address", address.to_text()}});
  }
  if (listeners.admin >= 0) {
    Result<net::Address> bound = net::Address::of_socket(listeners.admin);
    if (bound) {
      log_event(LogLevel::info, "server", "admin listening", {{"address", bound->to_text()}});
    }
  }
  if (settings.tokens.open_mode()) {
    log_event(LogLevel::warning, "server",
              settings.gateway
                  ? "open mode: no token is set, everybody who can connect may call functions"
                  : "open mode: no token is set, everybody who can connect may run pipelines");
  }
}

// The thread that follows the store takes its share of the CPUs, but no worker's turn: in a storm
// of changes requests would wait for it (sched(7), SCHED_BATCH).
void yield_to_workers() {
  const sched_param none{};
  pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
}

void run_worker(Worker& worker, size_t index, int cpu, Control& control) {
  pthread_setname_np(pthread_self(), ("worker/" + std::to_string(index)).c_str());
  pin_to(cpu);
  auto ring = ring::make_kernel_ring();
  if (!ring) {  // the control thread's worked a moment ago
    log_event(LogLevel::error, "server", "io_uring is not available",
              {{"detail", ring.error().reason}});
    flush_log();
    _exit(kExitForbidden);
  }
  worker.run(**ring, control);
  control.worker_is_done();
}

}  // namespace

int serve(const Settings& given, StartObserver* observer) {
  Settings settings = given;
  Result<size_t> connections_max = connections_allowed(settings);
  if (!connections_max) return report("cannot start", connections_max.error().message, kExitFailed);
  settings.connections_max = *connections_max;
  settings.held_bytes_max = held_bytes_allowed(settings);
  Signals signals;
  auto ring = ring::make_kernel_ring();
  if (!ring) return report("io_uring is not available", ring.error().reason, kExitForbidden);
  Result<Listeners> listeners = open_listeners(settings);
  if (!listeners) return report("cannot listen", listeners.error().message, kExitFailed);

  settings.listens_on_passed = listeners->passed;

  // After Signals: the writer's thread must have them blocked. What was said before went straight.
  Logs logs(STDERR_FILENO);
  set_log_sink(&logs.journal);
  std::vector<std::unique_ptr<Worker>> workers;
  for (const auto& of_worker : listeners->of_worker) {
    workers.push_back(std::make_unique<Worker>(settings, of_worker));
    workers.back()->publish(std::make_shared<const Tokens>(settings.tokens));
  }
  Control control(settings, **ring, signals, workers, *listeners, logs);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < workers.size(); ++i) {
    threads.emplace_back(&run_worker, std::ref(*workers[i]), i, settings.cpus[i],
                         std::ref(control));
  }
  announce(settings, *listeners);
  if (observer != nullptr) observer->listening(listeners->addresses);
  yield_to_workers();  // after the workers' threads, which would inherit it
  (*ring)->run(control.run());
  for (std::thread& thread : threads) thread.join();
  for (const net::Address& address : listeners->addresses) {
    if (address.is_unix() && !listeners->passed) ::unlink(address.to_text().substr(5).c_str());
  }
  log_event(LogLevel::info, "server", "ended");
  set_log_sink(nullptr);
  return kExitDone;
}

}  // namespace fnkit::server
