// A function on the simulated network whose every byte the test says, and calls to it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/http/client_pool.hpp"
#include "fnkit/net/listener.hpp"
#include "support/simulated_ring.hpp"
#include "wire/server_world.hpp"

namespace fnkit::test {

// "HTTP/1.1 200 OK", a length and `body`.
std::string ok(std::string_view body, std::string_view more_headers = "");

// What became of a call: "200 body", "broken: why", …; "pending" while it runs.
std::string text_of(const std::optional<http::CallResult>& outcome);

// A function of whose calls the test sees every byte. At its end all must have come home.
class FunctionWorld {
 public:
  explicit FunctionWorld(uint64_t seed, FaultPlan plan = {});
  ~FunctionWorld();

  SimulatedRing ring;
  http::ClientOptions options;  // to be changed before the first call()

  struct Call {
    std::string head;
    std::string body;
    http::OutgoingRequest request;
    coro::CancelScope scope;
    std::optional<http::CallResult> outcome;
    Instant ended;
    Call* gives_up = nullptr;  // given up as soon as this one has ended, in the same turn

    bool done() const { return outcome.has_value(); }
    std::string text() const { return text_of(outcome); }
  };
  static constexpr Duration kPatient = std::chrono::hours(1);
  // `name` stands in the request, so that the function can be seen to have got it.
  Call& post(std::string_view name, Duration within = kPatient, size_t body_bytes = 0);
  Call& get(std::string_view name, Duration within = kPatient);
  // As post(), by a caller who is gone already.
  Call& post_given_up(std::string_view name);
  // As get(), to an address where nobody listens.
  Call& get_elsewhere();

  // The function's side of its connections, in the order in which they came.
  size_t accepted() const { return peers_.size(); }
  Caller& peer(size_t index) { return *peers_.at(index); }
  void answer(size_t index, std::string_view body) { peer(index).say(ok(body)); }
  // The function closes its socket; or its side breaks, now.
  void close(size_t index);
  void reset(size_t index);
  void read_nothing() { deaf_ = true; }
  // How often `name` has been asked for, all connections taken together.
  size_t asked(std::string_view name) const;

  void run_for(Duration duration);
  // For at most a minute; false when `condition` does not hold then.
  template <class Condition>
  bool run_until(Condition condition) {
    const Instant limit = later(ring.now(), std::chrono::minutes(1));
    bool over = false;
    ring::Timer guard([](void* flag) { *static_cast<bool*>(flag) = true; }, &over);
    ring.timers().arm(guard, limit);
    while (!condition() && !over) ring.turn();
    return condition();
  }
  bool run_until_done(const Call& call) {
    return run_until([&] { return call.done(); });
  }
  bool run_until_asked(std::string_view name) {
    return run_until([&] { return asked(name) > 0; });
  }
  // Lets answers and ends that are on their way arrive.
  void settle() { run_for(std::chrono::milliseconds(500)); }

 private:
  Call& start(std::string_view method, std::string_view name, Duration within, size_t body_bytes,
              const net::Address& address);
  coro::Task<void> accept();
  coro::Task<void> run(Call& call, http::Endpoint endpoint, Instant deadline);
  coro::Task<void> close_all();

  Random random_{1};
  net::Resolver resolver_;
  std::unique_ptr<http::ClientPool> pool_;
  net::Listener listener_;
  std::vector<std::unique_ptr<Caller>> peers_;
  std::vector<int> peer_sockets_;
  std::vector<std::unique_ptr<Call>> calls_;
  bool deaf_ = false;
  bool given_up_ = false;
  coro::TaskGroup tasks_;
};

}  // namespace fnkit::test
