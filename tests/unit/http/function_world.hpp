// A function on the simulated network whose every byte the test says, and calls to it.
#pragma once

#include <deque>
#include <functional>
#include <map>
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
  struct How {
    std::string_view method = "POST";
    Duration within = kPatient;
    size_t body_bytes = 0;
    bool may_share = true;
    std::string_view address = {};  // "1.2.3.4:5"; else `host` is looked up; else the function's
    std::string_view host = {};
    bool continues = false;
  };
  Call& call(std::string_view name, const How& how);
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
  void reset_if_open(size_t index) {
    if (!peer(index).ended()) reset(index);
  }
  int socket_of(size_t index) const { return peer_sockets_.at(index); }
  void read_nothing() { deaf_ = true; }
  // The function's process comes and goes at one of its addresses.
  void listen_at(std::string_view address);
  void refuse_at(std::string_view address);
  // Where the connection `index` was accepted.
  const std::string& place_of(size_t index) const { return peers_at_.at(index); }

  // How often `name` has been asked for, all connections taken together.
  size_t asked(std::string_view name) const;
  // The connection on which it was asked for last; accepted() where it never was.
  size_t asked_on(std::string_view name) const;
  // In how many turns of the loop something was heard, all connections taken together.
  size_t hearings() const { return hearings_; }

  // From now on the function answers by itself, one request after the other: what `reply` says,
  // after it has been busy with it for `takes`. Where that is empty, nothing any more on this
  // connection.
  using Reply = std::function<std::string(std::string_view method, std::string_view name)>;
  void answer_by_itself(Duration takes = Duration::zero(), Reply reply = &echo);
  void answer_no_more() { reply_ = nullptr; }
  // 200 and the request's name.
  static std::string echo(std::string_view method, std::string_view name);
  // So many calls, one after the other, answered at once. Leaves one idle connection: peer 0, or
  // the one that was idle before.
  void earn_trust();

  http::ClientPool& pool();

  // One turn of the loop, and of the function where it answers by itself.
  void turn();
  void run_for(Duration duration);
  // For at most a minute; false when `condition` does not hold then.
  template <class Condition>
  bool run_until(Condition condition) {
    const Instant limit = later(ring.now(), std::chrono::minutes(1));
    bool over = false;
    ring::Timer guard([](void* flag) { *static_cast<bool*>(flag) = true; }, &over);
    ring.timers().arm(guard, limit);
    while (!condition() && !over) turn();
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
  struct Service {
    size_t read = 0;  // of what was heard
    Instant busy_until;
    bool stuck = false;
  };
  struct Place {
    std::string address;
    std::unique_ptr<net::Listener> listener;
  };

  void serve(size_t index);
  coro::Task<void> accept(Place* place);
  coro::Task<void> run(Call& call, http::Endpoint endpoint, Instant deadline);
  coro::Task<void> close_all();

  Random random_{1};
  net::Resolver resolver_;
  http::ClientCounts counts_;
  std::unique_ptr<http::ClientPool> pool_;
  std::deque<Place> places_;
  std::vector<std::unique_ptr<Caller>> peers_;
  std::vector<int> peer_sockets_;
  std::deque<std::string> peers_at_;
  std::string heard_by_closed_;
  std::vector<Service> services_;
  std::multimap<Instant, std::pair<size_t, std::string>> due_;  // answers, and on which connection
  ring::Timer due_timer_{[](void*) {}, nullptr};
  Reply reply_;
  Duration takes_ = Duration::zero();
  size_t hearings_ = 0;
  std::vector<size_t> heard_before_;
  std::vector<std::unique_ptr<Call>> calls_;
  bool deaf_ = false;
  bool given_up_ = false;
  coro::TaskGroup tasks_;
};

}  // namespace fnkit::test
