#include "simulation/store_simulation.hpp"

#include <memory>

#include "fnkit/coro/frame_pool.hpp"
#include "simulation/pause.hpp"
#include "simulation/store_troubles.hpp"
#include "simulation/store_witness.hpp"
#include "simulation/store_writer.hpp"

namespace fnkit::test {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

// CONTRACT section 4, and what the network and the server's own turns take of it here.
constexpr Duration kTold = milliseconds(50) + milliseconds(10);
// A connection that is dead without knowing it is found by a ping (each second) without an answer
// (3 s), and the wait before the next one is 2 s at most.
constexpr Duration kRecovery = seconds(1 + 3 + 2) + milliseconds(500);
// The same for the first one of a session that was well before.
constexpr Duration kSilenceFound = seconds(1 + 3) + milliseconds(300);
constexpr Duration kStopsSoon = milliseconds(100);

struct Setting {
  ValkeyManners manners;
  std::string url;
  std::string address;
  unsigned database = 0;
  size_t names = 8;
  Duration refresh_interval = seconds(30);
  Duration settles = seconds(1);  // until the snapshot must be what is stored
  Duration stays_quiet{};         // during which nothing may be published from then on
  Duration told_in = StoreWitness::kNoLimit;
  size_t writes = 0;  // of one or several keys; 0: the script
  Duration pause_max{};
  Duration starts_after{};
  std::optional<Duration> stops_after;  // whatever goes on
};

void choose_place(Setting& setting, Random& random) {
  setting.database = random.chance(50) ? 2 : 0;
  if (random.chance(30)) setting.manners.password = "secret";
  const std::string login = setting.manners.password.empty() ? "" : "reader:secret@";
  const std::string database = std::to_string(setting.database);
  if (random.chance(20)) {
    setting.address = "unix:/run/valkey.sock";
    setting.url = "unix://" + login + "/run/valkey.sock?db=" + database;
  } else {
    setting.address = "10.0.0.9:6379";
    setting.url =
        (random.chance(50) ? "redis://" : "valkey://") + login + "10.0.0.9:6379/" + database;
  }
}

Setting setting_of(uint64_t seed, const StoreSimulationOptions& options) {
  Random random(seed);
  Setting setting;
  choose_place(setting, random);
  constexpr const char* kFlags[] = {"", "", "Ex", "AKE", "K$", "KEg$xe"};
  setting.manners.flags = kFlags[random.below(std::size(kFlags))];
  setting.manners.refuses_config = random.chance(20);
  setting.manners.refuses_tracking = random.chance(20);
  setting.manners.page_keys = 1 + random.below(20);
  setting.names = 1 + random.below(12);
  // More than are asked for at once.
  if (random.chance(3)) setting.names = 250 + random.below(100);
  setting.refresh_interval = milliseconds(1000 + random.below(3000));
  setting.writes = 5 + random.below(35);
  setting.pause_max = milliseconds(32 << random.below(6));
  setting.starts_after = milliseconds(random.below(500));
  setting.settles = setting.refresh_interval + kRecovery;
  setting.stays_quiet = 2 * setting.refresh_interval + milliseconds(200);
  if (!options.faults) {
    setting.told_in = kTold;
    // As many as are asked for, as a real one does: what is told while everything is about to be
    // read waits for the last page.
    setting.manners.page_keys = 1000;
    return setting;
  }
  setting.manners.delay_max = milliseconds(random.below(uint64_t{1} << random.below(9)));
  setting.manners.loses = random.chance(50) ? 0 : static_cast<unsigned>(random.below(100));
  setting.manners.doubles = static_cast<unsigned>(random.below(50));
  if (random.chance(10)) setting.stops_after = milliseconds(random.below(3000));
  return setting;
}

FaultPlan no_faults() {
  FaultPlan plan = FaultPlan::quick();
  plan.latency_max = microseconds(200);
  return plan;
}

class StoreSimulation {
 public:
  StoreSimulation(uint64_t seed, const Setting& setting)
      : ring_(seed, no_faults()),
        random_(seed + 1),
        setting_(setting),
        resolver_(ring_, {.servers = {*net::Address::parse("127.0.0.1:53")}}),
        witness_(ring_, setting.database, setting.told_in),
        server_(ring_, *net::Address::parse(setting.address), setting.manners, witness_,
                random_.next()),
        writer_(ring_, server_, setting.database, names(), random_.next()) {
    Result<store::Location> location = store::parse_location(setting.url);
    REQUIRE(location);
    store::FollowerOptions options;
    options.refresh_interval = setting.refresh_interval;
    options.random_seed = random_.next();
    follower_ = store::make_follower(*location, ring_, resolver_, witness_, options);
    if (setting.writes > 0) writer_.write_first();
    witness_.forget_past();
  }

  void add_troubles() {
    ring_.faults() = store_network_faults(random_);
    troubles_ = std::make_unique<StoreTroubles>(ring_, server_, random_.next());
  }

  StoreOutcome run() {
    tasks_.spawn(server_.run());
    following_.spawn(follower_->run());
    if (troubles_) tasks_.spawn(troubles_->run());
    tasks_.spawn(course());
    while (tasks_.running() > 0) ring_.turn();
    follower_.reset();
    if (ring_.open_sockets() > 0) witness_.fault("a socket is still open");
    if (ring_.in_flight() > 0) witness_.fault("an operation is still in flight");
    if (coro::frames_alive() > 0) witness_.fault("a coroutine has not ended");
    if (Buffer::bytes_held_by_thread() > 0) witness_.fault("memory of messages is still held");
    return {witness_.faults(), witness_.changes(), witness_.publications(), server_.bytes_sent(),
            ring_.trace()};
  }

 private:
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (size_t i = 0; i < setting_.names; ++i) all.push_back("p" + std::to_string(i));
    return all;
  }

  // As the follower must have found out.
  std::string changes_by() const {
    const ValkeyManners& manners = setting_.manners;
    if (manners.refuses_config) return manners.refuses_tracking ? "polling" : "tracking";
    return manners.refuses_tracking ? "keyspace notifications"
                                    : "keyspace notifications and tracking";
  }

  coro::Task<void> write() {
    if (setting_.writes == 0) {
      co_await writer_.run_script();
      co_return;
    }
    co_await pause(ring_, setting_.starts_after);
    co_await writer_.run(setting_.writes, setting_.pause_max);
  }

  coro::Task<void> course() {
    if (setting_.stops_after) {
      coro::TaskGroup writing;
      writing.spawn(write());
      co_await pause(ring_, *setting_.stops_after);
      co_await stop_following();
      co_await writing.join();
      if (troubles_) troubles_->end();
    } else {
      co_await write();
      co_await look_at_the_end();
      co_await stop_following();
    }
    co_await writer_.join();
    co_await resolver_.close();
    server_.stop();
  }

  coro::Task<void> look_at_the_end() {
    co_await writer_.join();
    if (troubles_) troubles_->end();
    co_await pause(ring_, setting_.settles);
    witness_.expect_all_the_same(follower_->status());
    if (follower_->status().changes_by != changes_by()) {
      witness_.fault("changes are told by " + follower_->status().changes_by + " and not by " +
                     changes_by());
    }
    if (setting_.stays_quiet == Duration::zero()) co_return;
    const size_t publications = witness_.publications();
    co_await pause(ring_, setting_.stays_quiet);
    if (witness_.publications() != publications) {
      witness_.fault("something is published though nothing has changed");
    }
    witness_.expect_all_the_same(follower_->status());
  }

  coro::Task<void> stop_following() {
    const Instant from = ring_.now();
    follower_->stop();
    co_await following_.join();
    if (ring_.now() > later(from, kStopsSoon)) witness_.fault("the follower took long to stop");
  }

  SimulatedRing ring_;
  Random random_;
  Setting setting_;
  net::Resolver resolver_;
  StoreWitness witness_;
  SimValkey server_;
  StoreWriter writer_;
  std::unique_ptr<StoreTroubles> troubles_;
  std::unique_ptr<store::Follower> follower_;
  coro::TaskGroup following_;
  coro::TaskGroup tasks_;
};

}  // namespace

StoreOutcome simulate_store(uint64_t seed, const StoreSimulationOptions& options) {
  Setting setting = setting_of(seed, options);
  if (options.loses_all || options.stale) {
    setting.manners.loses = options.loses_all ? 100 : 0;
    setting.manners.stale = options.stale;
    setting.manners.refuses_tracking = setting.manners.refuses_config = false;
    setting.refresh_interval = hours(1);
    setting.settles = kRecovery;
    setting.stays_quiet = Duration::zero();
    setting.told_in = StoreWitness::kNoLimit;
    setting.stops_after.reset();
  }
  if (options.slow) setting.manners.delay_max = milliseconds(200);
  StoreSimulation simulation(seed, setting);
  if (options.faults) simulation.add_troubles();
  return simulation.run();
}

StoreOutcome simulate_script(ValkeyManners manners) {
  Setting setting;
  setting.url = "redis://reader:secret@10.0.0.9:6379/2";
  setting.address = "10.0.0.9:6379";
  setting.database = 2;
  setting.names = 2;
  // Long before anything is read again without a cause.
  setting.settles = milliseconds(150);
  for (const auto& [connection, cut] : manners.cuts) {
    if (cut.by == CutBy::silence) setting.settles = kSilenceFound;
  }
  if (manners.busy_times > 0) setting.settles = kRecovery;
  setting.manners = std::move(manners);
  setting.manners.password = "secret";
  StoreSimulation simulation(1, setting);
  return simulation.run();
}

}  // namespace fnkit::test
