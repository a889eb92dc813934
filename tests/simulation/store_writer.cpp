#include "simulation/store_writer.hpp"

#include "fnkit/pipeline/plan.hpp"
#include "simulation/pause.hpp"

namespace fnkit::test {
namespace {

using std::chrono::milliseconds;

std::string key_of(const std::string& name) { return "fnkit:pipeline:" + name; }

}  // namespace

StoreWriter::StoreWriter(SimulatedRing& ring, SimValkey& server, unsigned database,
                         std::vector<std::string> names, uint64_t seed)
    : ring_(ring), server_(server), database_(database), names_(std::move(names)), random_(seed) {}

void StoreWriter::write_first() {
  for (const std::string& name : names_) {
    if (random_.chance(60)) put(key_of(name), random_.chance(80) ? good() : bad());
  }
  put(key_of("no name"), good());
  put("other:key", good());
  server_.save();
}

coro::Task<void> StoreWriter::run(size_t times, Duration pause_max) {
  for (size_t i = 0; i < times; ++i) {
    co_await change_something();
    // Many follow each other at once, some after a while.
    const uint64_t bound = static_cast<uint64_t>(pause_max.count());
    const Duration wait(random_.below(random_.chance(30) ? bound : bound / 16));
    if (random_.chance(80)) co_await pause(ring_, wait);
  }
}

coro::Task<void> StoreWriter::run_script() {
  const milliseconds between(25);
  put(key_of(names_.front()), good());  // before anybody has connected
  co_await pause(ring_, between);
  put(key_of(names_.front()), good());
  co_await pause(ring_, between);
  server_.flush_all();
  co_await pause(ring_, between);
  put(key_of(names_.back()), good());
}

coro::Task<void> StoreWriter::change_something() {
  const std::string key = some_key();
  const uint64_t chance = random_.below(100);
  if (chance < 38) {
    put(key, good());
  } else if (chance < 55) {
    put(key, bad());
  } else if (chance < 67) {
    server_.remove(database_, key, random_.chance(80) ? "del" : "evicted");
  } else if (chance < 73) {
    server_.put(database_, key, good(), {"set", "expire"});
    later_.spawn(expire(key));
  } else if (chance < 80) {
    const std::string to = random_.chance(20) ? "other:key" : some_key();
    server_.rename(database_, key, to);
  } else if (chance < 83) {
    server_.rename(database_, "other:key", key);
  } else if (chance < 86) {
    server_.flush_all();
  } else if (chance < 90) {
    write_all();
  } else if (chance < 95) {
    write_elsewhere();
  } else {
    co_await burst(key);
  }
}

coro::Task<void> StoreWriter::burst(std::string key) {
  const uint64_t writes = 2 + random_.below(20);
  for (uint64_t i = 0; i < writes; ++i) {
    put(key, random_.chance(90) ? good() : bad());
    if (random_.chance(10)) server_.remove(database_, key, "del");
    const milliseconds wait(random_.below(6));
    co_await pause(ring_, wait);
  }
}

// Unless it is written again, which takes its time from it.
coro::Task<void> StoreWriter::expire(std::string key) {
  const SimValue mine = *server_.find(database_, key);
  const milliseconds life(random_.below(300));
  co_await pause(ring_, life);
  const SimValue* value = server_.find(database_, key);
  if (value == nullptr || !(*value == mine)) co_return;
  server_.lapse(database_, key);
  const milliseconds unseen(random_.below(100));
  co_await pause(ring_, unseen);
  server_.come_across(database_, key);
}

void StoreWriter::write_all() {
  const uint64_t kind = random_.below(3);
  for (const std::string& name : names_) {
    if (kind == 0) server_.remove(database_, key_of(name), "del");
    if (kind != 0) put(key_of(name), kind == 1 ? good() : bad());
  }
}

// What a careless follower may take for its own.
void StoreWriter::write_elsewhere() {
  const unsigned other = database_ == 0 ? 1 : 0;
  switch (random_.below(4)) {
    case 0: put("other:key", good()); break;
    case 1: put(key_of("no name"), good()); break;
    case 2: server_.remove(other, some_key(), "del"); break;
    default: server_.put(other, some_key(), good(), {"set"}); break;
  }
}

void StoreWriter::put(const std::string& key, SimValue value) {
  const bool is_string = value.is_string;
  server_.put(database_, key, std::move(value), {is_string ? "set" : "hset"});
}

SimValue StoreWriter::good() {
  const std::string step = "v" + std::to_string(++version_);
  std::string text = R"({"steps":[")" + step;
  std::vector<std::string> steps = {step};
  if (random_.chance(30)) {
    text += R"(","last)";
    steps.emplace_back("last");
  }
  text += R"("]})";
  // The largest that there may be, which takes many packets.
  if (random_.chance(1)) text.resize(pipeline::kConfigBytesMax, ' ');
  return {std::move(text), true, std::move(steps)};
}

SimValue StoreWriter::bad() {
  const std::string number = std::to_string(++version_);
  switch (random_.below(7)) {
    case 0: return {R"({"steps":["v)" + number, true, {}};
    case 1: return {"[" + number + "]", true, {}};
    case 2: return {R"({"mode":")" + number + R"(","steps":["a"]})", true, {}};
    case 3: return {"", true, {}};
    case 4:
      if (!random_.chance(10)) return {"\xff" + number, true, {}};
      return {R"({"steps":["a"]})" + std::string(pipeline::kConfigBytesMax, ' '), true, {}};
    default: return {number, false, {}};
  }
}

std::string StoreWriter::some_key() { return key_of(names_[random_.below(names_.size())]); }

}  // namespace fnkit::test
