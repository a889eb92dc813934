#include "simulation/store_troubles.hpp"

#include "simulation/pause.hpp"

namespace fnkit::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

}  // namespace

FaultPlan store_network_faults(Random& random) {
  FaultPlan plan;
  // In half of the runs the network is slow, and nothing else.
  if (random.chance(50)) {
    plan.connect_refused = static_cast<unsigned>(random.below(20));
    plan.connect_lost = static_cast<unsigned>(random.below(5));
    plan.accept_fails = static_cast<unsigned>(random.below(10));
    plan.send_fails = static_cast<unsigned>(random.below(3));
    plan.reset = random.chance(50) ? 1 : 0;
  }
  plan.socket_bytes = size_t{1} << (10 + random.below(7));
  plan.latency_max = microseconds(1 + random.below(uint64_t{1} << random.below(14)));
  return plan;
}

StoreTroubles::StoreTroubles(SimulatedRing& ring, SimValkey& server, uint64_t seed)
    : ring_(ring), server_(server), random_(seed) {}

coro::Task<void> StoreTroubles::run() {
  const uint64_t between_max = 100 + random_.below(3000);
  while (!ended_) {
    const milliseconds wait(random_.below(between_max));
    co_await pause(ring_, wait);
    if (!ended_) co_await make_one();
  }
}

void StoreTroubles::end() {
  ended_ = true;
  const Duration latency = ring_.faults().latency_max;
  ring_.faults() = FaultPlan();
  ring_.faults().latency_max = std::min(latency, Duration(milliseconds(2)));
  server_.set_hangs(false);
  server_.set_refusal("");
  server_.set_full(false);
  server_.manners().loses = 0;
  server_.manners().delay_max = Duration::zero();
  for (SimValkeyClient* client : server_.clients()) client->cut(std::nullopt);
  if (random_.chance(50)) return;
  for (const int fd : ring_.connections()) ring_.thaw(fd);
}

coro::Task<void> StoreTroubles::make_one() {
  const milliseconds duration(random_.below(random_.chance(80) ? 500 : 5000));
  switch (random_.below(12)) {
    case 0: co_await hang(duration); break;
    case 1: co_await refuse(duration); break;
    case 2: co_await be_full(duration); break;
    case 3:
    case 4: co_await restart(duration); break;
    case 5: freeze_one(); break;
    case 6: talk_garbage(); break;
    case 7: server_.set_flags(random_.chance(50) ? "" : "Ex"); break;
    case 8: server_.save(); break;
    default: cut_one(); break;
  }
}

SimValkeyClient* StoreTroubles::some_client() {
  const auto& clients = server_.clients();
  return clients.empty() ? nullptr : clients[random_.below(clients.size())];
}

void StoreTroubles::cut_one() {
  SimValkeyClient* client = some_client();
  if (client == nullptr) return;
  constexpr CutBy kWays[] = {CutBy::end, CutBy::end, CutBy::reset, CutBy::silence};
  client->cut(Cut{static_cast<size_t>(random_.below(400)), kWays[random_.below(4)]});
}

void StoreTroubles::freeze_one() {
  const SimValkeyClient* client = some_client();
  if (client != nullptr) ring_.freeze(client->fd());
}

// What is no RESP: a valid reply to nothing could not be told from the next one's.
void StoreTroubles::talk_garbage() {
  SimValkeyClient* client = some_client();
  if (client == nullptr) return;
  constexpr std::string_view kGarbage[] = {"HTTP/1.1 400 Bad Request\r\n\r\n", "\x15\x03\x01",
                                           "*-7\r\n", "$x\r\n", ":nine\r\n"};
  client->say(kGarbage[random_.below(std::size(kGarbage))]);
}

coro::Task<void> StoreTroubles::hang(Duration duration) {
  server_.set_hangs(true);
  co_await pause(ring_, duration);
  server_.set_hangs(false);
}

coro::Task<void> StoreTroubles::refuse(Duration duration) {
  constexpr const char* kRefusals[] = {
      "LOADING Redis is loading the dataset in memory",
      "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
      "NOAUTH Authentication required.",
      "NOPERM No permissions to access a key",
      "MOVED 866 10.0.0.8:6379",
      "BUSY Redis is busy running a script.",
  };
  server_.set_refusal(kRefusals[random_.below(std::size(kRefusals))]);
  co_await pause(ring_, duration);
  server_.set_refusal("");
}

coro::Task<void> StoreTroubles::be_full(Duration duration) {
  server_.set_full(true);
  co_await pause(ring_, duration);
  server_.set_full(false);
}

coro::Task<void> StoreTroubles::restart(Duration duration) {
  const unsigned refused = ring_.faults().connect_refused;
  ring_.faults().connect_refused = 100;
  server_.restart();
  co_await pause(ring_, duration);
  if (!ended_) ring_.faults().connect_refused = refused;
}

}  // namespace fnkit::test
