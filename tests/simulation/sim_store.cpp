#include "simulation/sim_store.hpp"

#include "simulation/pause.hpp"

namespace fnkit::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const net::Address kValkey = *net::Address::parse("10.0.0.9:6379");
constexpr const char* kUrl = "redis://10.0.0.9:6379";

// What the pipeline that moves may become.
const std::vector<SimVersion> kVersions = {
    {{}, false, {"a", "b"}}, {{}, false, {"c"}}, {{}, true, {"a", "c"}}, {{}, false, {}}};

ValkeyManners manners_of(bool troubles, Random& random) {
  ValkeyManners manners;
  manners.refuses_config = random.chance(20);
  manners.refuses_tracking = !manners.refuses_config && random.chance(20);  // never both: no poll
  manners.page_keys = 1 + random.below(20);
  if (!troubles) return manners;
  manners.delay_max = milliseconds(random.below(uint64_t{1} << random.below(9)));
  manners.loses = static_cast<unsigned>(random.below(50));
  manners.doubles = static_cast<unsigned>(random.below(50));
  return manners;
}

}  // namespace

SimStore::SimStore(SimulatedRing& ring, std::vector<SimPipeline*> pipelines, server::Worker& worker,
                   bool troubles, uint64_t seed)
    : ring_(ring),
      pipelines_(std::move(pipelines)),
      worker_(worker),
      random_(seed),
      resolver_(ring_, {.servers = {*net::Address::parse("127.0.0.1:53")}}),
      valkey_(ring_, kValkey, manners_of(troubles, random_), *this, random_.next()) {
  for (const SimPipeline* pipeline : pipelines_) put(*pipeline);
  valkey_.save();
  if (troubles) troubles_ = std::make_unique<StoreTroubles>(ring_, valkey_, random_.next());
  store::FollowerOptions options;
  options.refresh_interval = seconds(1 + random_.below(3));
  options.random_seed = random_.next();
  follower_ = store::make_follower(*store::parse_location(kUrl), ring_, resolver_, *this, options);
}

coro::Task<void> SimStore::run() {
  coro::TaskGroup following;
  following.spawn(follower_->run());
  tasks_.spawn(valkey_.run());
  if (troubles_) tasks_.spawn(troubles_->run());
  co_await keep_moving();
  if (troubles_) troubles_->end();
  follower_->stop();
  co_await following.join();
  co_await resolver_.close();
  valkey_.stop();
  co_await tasks_.join();
}

void SimStore::publish(std::shared_ptr<const store::Snapshot> snapshot) {
  loaded_ = true;
  worker_.publish(std::move(snapshot));
}

void SimStore::tell(const store::FollowerStatus& status) {
  worker_.publish(std::make_shared<const store::FollowerStatus>(status));
}

coro::Task<void> SimStore::keep_moving() {
  while (!stopping_) {
    const milliseconds wait(1 + random_.below(300));
    co_await pause(ring_, wait);
    if (loaded_ && !stopping_) move();
  }
}

void SimStore::move() {
  SimPipeline& pipeline = *pipelines_.back();
  pipeline.versions.push_back(kVersions[random_.below(kVersions.size())]);
  pipeline.versions.back().since = ring_.now();
  put(pipeline);
}

void SimStore::put(const SimPipeline& pipeline) {
  const std::string key = "fnkit:pipeline:" + pipeline.name;
  const SimVersion& version = pipeline.versions.back();
  if (version.functions.empty()) {
    valkey_.remove(0, key, "del");
  } else {
    valkey_.put(0, key, {version.to_config(), true, version.functions}, {"set"});
  }
}

}  // namespace fnkit::test
