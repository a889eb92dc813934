#include "simulation/simulation.hpp"

#include <memory>

#include "fnkit/coro/frame_pool.hpp"
#include "fnkit/server/worker.hpp"
#include "simulation/sim_caller.hpp"
#include "simulation/sim_function.hpp"
#include "simulation/sim_store.hpp"

namespace fnkit::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const net::Address kServer = *net::Address::parse("10.0.0.1:3000");
constexpr size_t kCallers = 10;
constexpr Duration kForever = std::chrono::hours(1);

std::vector<SimPipeline> make_pipelines() {
  return {
      {"one", {{{}, false, {"a"}}}},
      {"three", {{{}, false, {"a", "b", "c"}}}},
      {"both", {{{}, true, {"b", "c"}}}},
      {"mixed", {{{}, true, {"json", "a", "c"}}}},
      // Its function sends what nobody asked for, so that only one caller may use it, with pauses:
      // HTTP cannot tell such bytes from an answer once the next request is out.
      {"talking", {{{}, false, {"talker"}}}},
      {"moving", {{{}, false, {"b"}}}},
  };
}

// CONTRACT section 4, and what the network and the server's own turns take of it here.
constexpr Duration kStaleMax = milliseconds(50 + 10);

FaultPlan faults_of(uint64_t seed) {
  FaultPlan plan;
  Random random(seed);
  plan.connect_refused = static_cast<unsigned>(random.below(4));
  plan.connect_lost = static_cast<unsigned>(random.below(3));
  plan.accept_fails = static_cast<unsigned>(random.below(5));
  plan.send_fails = static_cast<unsigned>(random.below(4));
  plan.reset = static_cast<unsigned>(random.below(3));
  plan.socket_bytes = size_t{1} << (10 + random.below(7));
  return plan;
}

server::Settings settings_of(const SimulationOptions& options) {
  server::Settings settings;
  settings.step_url = *server::StepUrl::parse("http://{step}:8080");
  settings.functions.connect_timeout = milliseconds(500);
  settings.step_timeout = seconds(2);
  settings.pipeline_timeout = seconds(3);
  settings.callers.head_timeout = settings.callers.body_timeout = seconds(5);
  settings.drain_timeout = seconds(1);
  settings.functions.pipelining_wait = milliseconds(100);  // functions take milliseconds here
  settings.functions.pipelining_trust = 2;
  // Functions end connections, as they may, and with them what was sent behind.
  if (!options.faults) settings.functions.pipelining_depth = 1;
  if (options.faults) {
    settings.functions.connections_max = 3;
    settings.functions.waiting_max = 4;
    settings.requests_max = 8;
    settings.connections_max = kCallers - 1;
  }
  return settings;
}

// Nobody asks for any.
struct NoPages final : server::PageSource {
  void ask(server::PageQuestion&) override { REQUIRE(false); }
};

class Simulation {
 public:
  Simulation(uint64_t seed, const SimulationOptions& options)
      : ring_(seed, options.faults ? faults_of(seed) : FaultPlan()),
        random_(seed + 1),
        options_(options),
        settings_(settings_of(options)),
        witness_(!options.faults, options.faults ? kForever : kStaleMax) {
    add_functions();
    worker_ = std::make_unique<server::Worker>(settings_, std::vector<int>{ring_.listen(kServer)});
    worker_->publish(std::make_shared<const server::Tokens>());
    std::vector<SimPipeline*> stored;
    for (SimPipeline& pipeline : pipelines_) stored.push_back(&pipeline);
    store_ = std::make_unique<SimStore>(ring_, stored, *worker_, options.faults, random_.next());
    add_callers();
  }

  SimulationOutcome run() {
    for (auto& function : functions_) tasks_.spawn(function->run());
    tasks_.spawn(store_->run());
    tasks_.spawn(end_after_callers());
    const bool drains_early = options_.faults && random_.chance(25);
    if (drains_early) tasks_.spawn(end_early(milliseconds(random_.below(1500))));
    NoPages pages;
    worker_->run(ring_, pages);
    store_->stop();
    for (auto& function : functions_) function->stop();
    while (tasks_.running() > 0) ring_.turn();
    callers_.clear();
    functions_.clear();
    store_.reset();
    expect_nothing_left();
    return {witness_.faults(),         witness_.good_answers(), witness_.unknown_answers(),
            witness_.failed_answers(), witness_.ends(),         ring_.trace()};
  }

 private:
  void add_functions() {
    uint16_t port = 8001;
    for (const std::string name : {"a", "b", "c", "json", "talker"}) {
      net::Address address = *net::Address::parse("10.0.0.2:0");
      address.set_port(port++);
      FunctionManners manners;
      manners.faults = options_.faults ? 10 : 0;
      manners.mixes_up = options_.mixes_up;
      manners.doubles = options_.doubles;
      manners.talks_unasked = name == "talker";
      functions_.push_back(
          std::make_unique<SimFunction>(ring_, name, address, manners, witness_, random_.next()));
      settings_.resolve[name].address = address;
    }
  }

  void add_callers() {
    CallerManners manners;
    if (!options_.faults) manners.leaves = manners.half_closes = 0;
    std::vector<const SimPipeline*> pipelines;
    for (const SimPipeline& pipeline : pipelines_) {
      if (pipeline.name != "talking") pipelines.push_back(&pipeline);
    }
    for (size_t i = 0; i + 1 < kCallers; ++i) add_caller(pipelines, manners);
    manners.think_min = manners.think_max = milliseconds(800);
    manners.body_bytes_max = 100;
    manners.leaves = 0;
    add_caller({&pipelines_[pipelines_.size() - 2]}, manners);
  }

  void add_caller(const std::vector<const SimPipeline*>& pipelines, CallerManners manners) {
    callers_.push_back(std::make_unique<SimCaller>(ring_, kServer, pipelines, manners, witness_,
                                                   next_id_, random_.next()));
  }

  coro::Task<void> end_after_callers() {
    // Before the first load every answer is 503, which would make a short run of most.
    const Instant patience =
        later(ring_.now(), !options_.faults || random_.chance(90) ? seconds(2) : seconds(0));
    while (!store_->loaded() && ring_.now() < patience) co_await pause(ring_, milliseconds(1));
    for (auto& caller : callers_) calling_.spawn(caller->run());
    co_await calling_.join();
    worker_->drain();
  }

  coro::Task<void> end_early(Duration after) {
    co_await pause(ring_, after);
    worker_->drain();
  }

  void expect_nothing_left() {
    if (ring_.open_sockets() > 0) witness_.fault("a socket is still open");
    if (ring_.in_flight() > 0) witness_.fault("an operation is still in flight");
    if (coro::frames_alive() > 0) witness_.fault("a coroutine has not ended");
    if (Buffer::bytes_held_by_thread() > 0) witness_.fault("memory of messages is still held");
  }

  SimulatedRing ring_;
  Random random_;
  SimulationOptions options_;
  server::Settings settings_;
  std::vector<SimPipeline> pipelines_ = make_pipelines();
  Witness witness_;
  unsigned next_id_ = 1;
  std::vector<std::unique_ptr<SimFunction>> functions_;
  std::vector<std::unique_ptr<SimCaller>> callers_;
  std::unique_ptr<server::Worker> worker_;
  std::unique_ptr<SimStore> store_;
  coro::TaskGroup calling_;
  coro::TaskGroup tasks_;
};

}  // namespace

SimulationOutcome simulate(uint64_t seed, const SimulationOptions& options) {
  Simulation simulation(seed, options);
  return simulation.run();
}

}  // namespace fnkit::test
