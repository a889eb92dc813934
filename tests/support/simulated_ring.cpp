#include "simulated_ring.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace fnkit::test {
namespace {

constexpr size_t kCompletionsShown = 40;

// Anywhere in the first months of a clock, so that no code relies on where it starts.
Instant start_of_clock(uint64_t seed) {
  return Instant(Duration(static_cast<int64_t>(Random(seed).below(uint64_t{1} << 53))));
}

const char* name_of(ring::Verb verb) {
  static constexpr const char* kNames[] = {"accept",  "receive", "receive_into", "send",
                                           "connect", "poll",    "read"};
  return kNames[static_cast<size_t>(verb)];
}

}  // namespace

SimulatedRing::SimulatedRing(uint64_t seed, FaultPlan plan)
    : Ring(start_of_clock(seed)),
      seed_(seed),
      plan_(plan),
      random_(seed),
      clock_(start_of_clock(seed)) {}

SimulatedRing::~SimulatedRing() {
  if (in_flight() > 0) fail("an operation is still in flight at the end of the simulation");
  if (!sockets_.empty()) fail("a socket is still open at the end of the simulation");
}

void SimulatedRing::fail(const char* what) const {
  std::fprintf(stderr, "simulation with seed %llu: %s\n", static_cast<unsigned long long>(seed_),
               what);
  for (const auto& [id, live] : live_) {
    std::fprintf(stderr, "  in flight: %s on %d%s\n", name_of(live.operation->verb),
                 live.operation->fd, live.operation->cancelled ? ", cancelled" : "");
  }
  for (const auto& [fd, socket] : sockets_) {
    std::fprintf(stderr, "  open: %d%s, peer %d, %zu bytes coming, %zu unread%s%s%s\n", fd,
                 socket.listening.empty() ? "" : " (listening)", socket.peer,
                 socket.incoming.size(), socket.unread.size(),
                 socket.fin_arrived ? ", ended by its peer" : "", socket.reset ? ", reset" : "",
                 socket.frozen ? ", frozen" : "");
  }
  std::fprintf(stderr, "  last completions:\n");
  for (const std::string& line : last_completions_) {
    std::fprintf(stderr, "    %s\n", line.c_str());
  }
  std::abort();
}

// Like entries of a submission queue: nothing happens, and no byte is read, before wait().
void SimulatedRing::start(ring::Operation& operation) {
  const OperationId id = next_id_++;
  live_[id] = {&operation};
  ids_[&operation] = id;
  submissions_.emplace_back(id, true);
}

void SimulatedRing::stop(ring::Operation& operation) {
  submissions_.emplace_back(ids_.at(&operation), false);
}

void SimulatedRing::hand_over() {
  std::vector<std::pair<OperationId, bool>> taken;
  taken.swap(submissions_);
  for (const auto& submission : taken) {
    const OperationId id = submission.first;
    if (submission.second) {
      begin(id);
      continue;
    }
    // A cancel takes effect late, so what was cancelled may still achieve something.
    schedule(latency(), [this, id] { complete_later(id, -ECANCELED, false); });
  }
}

void SimulatedRing::schedule(Duration after, std::function<void()> event) {
  events_.emplace(std::pair(clock_ + after, next_event_++), std::move(event));
}

Duration SimulatedRing::latency() {
  if (random_.chance(25)) return Duration::zero();
  return Duration(
      static_cast<int64_t>(random_.below(static_cast<uint64_t>(plan_.latency_max.count()) + 1)));
}

void SimulatedRing::run_due() {
  while (!events_.empty() && events_.begin()->first.first <= clock_) {
    const std::function<void()> event = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    event();
  }
}

void SimulatedRing::wait(Instant until) {
  hand_over();
  look_at_descriptors();
  run_due();
  while (completions_.empty() && !events_.empty() && events_.begin()->first.first <= until) {
    clock_ = std::max(clock_, events_.begin()->first.first);
    run_due();
  }
  if (!completions_.empty()) return;
  if (until == kNever) fail("the simulation is stuck: nothing can ever happen");
  clock_ = std::max(clock_, until);
}

void SimulatedRing::look_at_descriptors() {
  const std::vector<OperationId> waiting = on_descriptors_;
  for (const OperationId id : waiting) {
    ring::Operation* operation = live(id);
    if (operation == nullptr) {
      std::erase(on_descriptors_, id);
      continue;
    }
    const bool reads = operation->verb == ring::Verb::read;
    pollfd look{operation->fd, static_cast<short>(reads ? POLLIN : operation->events), 0};
    if (::poll(&look, 1, 0) <= 0) continue;
    int32_t result = look.revents;
    if (reads) {
      result = static_cast<int32_t>(
          ::read(operation->fd, operation->parts[0].iov_base, operation->parts[0].iov_len));
      if (result < 0) result = -errno;
    }
    std::erase(on_descriptors_, id);
    complete_later(id, result, false);
  }
}

// nullptr once its last completion is queued.
ring::Operation* SimulatedRing::live(OperationId id) {
  const auto found = live_.find(id);
  return found == live_.end() || found->second.ended ? nullptr : found->second.operation;
}

void SimulatedRing::complete_later(OperationId id, int32_t result, bool more, std::string data) {
  ring::Operation* operation = live(id);
  if (operation == nullptr) return;
  if (!more) {
    live_[id].ended = true;
    detach(*operation);
  }
  completions_.push_back({id, result, more, false, std::move(data)});
}

void SimulatedRing::detach(const ring::Operation& operation) {
  Socket* on = find(operation.fd);
  if (on == nullptr) return;
  switch (operation.verb) {
    case ring::Verb::accept: on->accept = 0; break;
    case ring::Verb::receive:
    case ring::Verb::receive_into: on->receive = 0; break;
    case ring::Verb::send: on->send = 0; break;
    case ring::Verb::connect: on->connect = 0; break;
    case ring::Verb::poll:
    case ring::Verb::read: break;
  }
}

void SimulatedRing::reap() {
  while (!completions_.empty()) {
    const Completion completion = std::move(completions_.front());
    completions_.pop_front();
    ring::Operation& operation = *live_.at(completion.id).operation;
    if (completion.progress) {
      progressed(operation);
      continue;
    }
    record(operation, completion.result);
    if (!completion.more) {
      live_.erase(completion.id);
      ids_.erase(&operation);
    }
    operation.data = completion.data;
    complete(operation, completion.result, completion.more);
  }
  finish_silent_sends();
}

void SimulatedRing::run_for(Duration duration) {
  bool over = false;
  ring::Timer timer([](void* flag) { *static_cast<bool*>(flag) = true; }, &over);
  timers().arm(timer, later(now(), duration));
  while (!over) turn();
}

void SimulatedRing::finish_silent_sends() {
  std::vector<OperationId> finished;
  finished.swap(silent_);
  for (const OperationId id : finished) {
    ring::Operation& operation = *live_.at(id).operation;
    live_.erase(id);
    ids_.erase(&operation);
    record(operation, operation.sent);
    complete(operation, operation.sent, false);
  }
}

void SimulatedRing::record(const ring::Operation& operation, int32_t result) {
  const int64_t time = clock_.time_since_epoch().count();
  for (const int64_t part :
       {time, int64_t{operation.fd}, int64_t{result}, static_cast<int64_t>(operation.verb)}) {
    trace_ = (trace_ ^ static_cast<uint64_t>(part)) * 0x100000001b3ULL;  // FNV-1a, by words
  }
  last_completions_.push_back(std::to_string(time) + " " + name_of(operation.verb) + " on " +
                              std::to_string(operation.fd) + ": " + std::to_string(result));
  if (last_completions_.size() > kCompletionsShown) last_completions_.pop_front();
}

}  // namespace fnkit::test
