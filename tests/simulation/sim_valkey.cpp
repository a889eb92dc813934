#include "simulation/sim_valkey.hpp"

#include <algorithm>

#include "simulation/pause.hpp"
#include "simulation/resp.hpp"

namespace fnkit::test {
namespace {

using std::chrono::microseconds;

// Invalidations leave at the end of a turn of the server's loop, those of one turn as one message.
constexpr uint64_t kTurnMicrosecondsMax = 500;

// The class of an event, as notify-keyspace-events names it.
char class_of(std::string_view event) {
  if (event == "set") return '$';
  if (event == "hset") return 'h';
  if (event == "expired") return 'x';
  if (event == "evicted") return 'e';
  return 'g';
}

}  // namespace

SimValkey::SimValkey(SimulatedRing& ring, const net::Address& address, ValkeyManners manners,
                     KeyListener& listener, uint64_t seed)
    : ring_(ring),
      manners_(std::move(manners)),
      listener_(listener),
      random_(seed),
      accepting_(ring, ring.listen(address)),
      flags_(manners_.flags) {}

coro::Task<void> SimValkey::run() {
  while (true) {
    Result<int> connection = co_await accepting_.accept();
    if (!connection) break;
    tasks_.spawn(serve(*connection));
  }
  co_await accepting_.close();
  co_await tasks_.join();
}

void SimValkey::stop() {
  stopping_ = true;
  accepting_.stop();
  for (SimValkeyClient* client : clients_) client->end();
}

coro::Task<void> SimValkey::serve(int fd) {
  const size_t number = bytes_sent_.size();
  bytes_sent_.push_back(0);
  SimValkeyClient client(ring_, fd, number + 3, manners_.delay_max, hangs_, random_.next());
  clients_.push_back(&client);
  if (const auto cut = manners_.cuts.find(number); cut != manners_.cuts.end()) {
    client.cut(cut->second);
  }
  if (full_) {
    const std::string no = resp::error("ERR max number of clients reached");
    client.say(no);
    client.cut(Cut{no.size(), CutBy::end});
  }
  if (stopping_) client.end();
  coro::TaskGroup sending;
  sending.spawn(client.send_all());
  co_await answer(client);
  std::erase(clients_, &client);
  client.end();
  co_await sending.join();
  bytes_sent_[number] = client.bytes_sent();
  co_await client.close();
}

coro::Task<void> SimValkey::answer(SimValkeyClient& client) {
  while (true) {
    std::optional<Words> words = co_await client.next_command();
    if (!words) co_return;
    if (client.is_cut() || full_ || words->empty()) continue;
    client.say(answer_to(client, *words));
  }
}

const SimValue* SimValkey::find(unsigned database, const std::string& key) const {
  const auto keys = databases_.find(database);
  return keys == databases_.end() ? nullptr : keys->second.find(key);
}

void SimValkey::put(unsigned database, const std::string& key, SimValue value,
                    const std::vector<std::string_view>& events) {
  const SimValue* before = find(database, key);
  const SimValue old = before == nullptr ? SimValue() : *before;
  // Another type takes the place of a string only once that is gone.
  if (before != nullptr && !value.is_string) remove(database, key, "del");
  databases_[database].put(key, std::move(value));
  changed(database, key, &old);
  for (const std::string_view event : events) tell_keyspace(database, key, event);
}

void SimValkey::remove(unsigned database, const std::string& key, std::string_view event) {
  if (find(database, key) == nullptr) return;
  const SimValue old = *find(database, key);
  databases_[database].remove(key);
  changed(database, key, &old);
  tell_keyspace(database, key, event);
}

void SimValkey::rename(unsigned database, const std::string& from, const std::string& to) {
  if (from == to || find(database, from) == nullptr) return;
  SimValue value = *find(database, from);
  remove(database, from, "rename_from");
  const SimValue* replaced = find(database, to);
  const SimValue old = replaced == nullptr ? SimValue() : *replaced;
  databases_[database].put(to, std::move(value));
  changed(database, to, &old);
  tell_keyspace(database, to, "rename_to");
}

// Tells no key's listeners; to those that track it says that nothing is as it was.
void SimValkey::flush_all() {
  Databases flushed;
  flushed.swap(databases_);
  bool told = false;
  for (const auto& [database, keys] : flushed) {
    for (const std::string& key : keys.all()) listener_.changed(database, key, nullptr);
  }
  const std::vector<SimValkeyClient*> all = clients_;
  for (const SimValkeyClient* client : all) {
    const auto target = std::find_if(all.begin(), all.end(), [&](const SimValkeyClient* other) {
      return client->redirect != 0 && other->id == client->redirect && other->subscribed();
    });
    if (target == all.end()) continue;
    notify(**target,
           resp::array({resp::bulk("message"), resp::bulk("__redis__:invalidate"), resp::nil()}));
    told = true;
  }
  if (!told) return;
  for (const auto& [database, keys] : flushed) {
    for (const std::string& key : keys.all()) listener_.told(key);
  }
}

void SimValkey::lapse(unsigned database, const std::string& key) {
  if (find(database, key) == nullptr) return;
  databases_[database].remove(key);
  lapsed_.emplace(database, key);
  listener_.changed(database, key, nullptr);
}

void SimValkey::come_across(unsigned database, const std::string& key) {
  if (lapsed_.erase({database, key}) == 0) return;
  touch(database, key);
  tell_keyspace(database, key, "expired");
}

void SimValkey::changed(unsigned database, const std::string& key, const SimValue* before) {
  lapsed_.erase({database, key});
  if (manners_.stale) stale_[{database, key}] = *before;
  listener_.changed(database, key, find(database, key));
  touch(database, key);
}

void SimValkey::notify(SimValkeyClient& client, const std::string& message) {
  if (random_.chance(manners_.loses)) return;
  client.say(message);
  if (random_.chance(manners_.doubles)) client.say(message);
}

void SimValkey::tell_keyspace(unsigned database, const std::string& key, std::string_view event) {
  const char its_class = class_of(event);
  const bool wanted = flags_.find('K') != flags_.npos &&
                      (flags_.find('A') != flags_.npos || flags_.find(its_class) != flags_.npos);
  if (!wanted) return;
  const std::string channel = "__keyspace@" + std::to_string(database) + "__:" + key;
  for (SimValkeyClient* client : clients_) {
    for (const std::string& pattern : client->patterns) {
      if (!channel.starts_with(pattern.substr(0, pattern.find('*')))) continue;
      notify(*client, resp::array({resp::bulk("pmessage"), resp::bulk(pattern), resp::bulk(channel),
                                   resp::bulk(event)}));
      listener_.told(key);
    }
  }
}

// For tracking. It knows no databases.
void SimValkey::touch(unsigned database, const std::string& key) {
  if (touched_.empty()) tasks_.spawn(tell_invalidations());
  touched_.emplace(database, key);
}

coro::Task<void> SimValkey::tell_invalidations() {
  co_await pause(ring_, microseconds(random_.below(kTurnMicrosecondsMax)));
  const auto touched = std::exchange(touched_, {});
  for (const SimValkeyClient* client : clients_) {
    if (client->redirect == 0) continue;
    std::vector<std::string> keys;
    for (const auto& [database, key] : touched) {
      if (key.starts_with(client->tracking_prefix)) keys.push_back(resp::bulk(key));
    }
    for (SimValkeyClient* target : clients_) {
      if (target->id != client->redirect || !target->subscribed() || keys.empty()) continue;
      notify(*target, resp::array({resp::bulk("message"), resp::bulk("__redis__:invalidate"),
                                   resp::array(keys)}));
      for (const auto& [database, key] : touched) listener_.told(key);
    }
  }
}

void SimValkey::restart() {
  for (const SimValkeyClient* client : clients_) ring_.kill(client->fd());
  Databases before;
  before.swap(databases_);
  databases_ = saved_;
  flags_ = manners_.flags;
  lapsed_.clear();
  touched_.clear();
  std::set<std::pair<unsigned, std::string>> keys;
  for (const Databases* data : {&before, &databases_}) {
    for (const auto& [database, held] : *data) {
      for (const std::string& key : held.all()) keys.emplace(database, key);
    }
  }
  for (const auto& [database, key] : keys) {
    const SimValue* now = find(database, key);
    const SimValue* then = before[database].find(key);
    const bool same = now != nullptr && then != nullptr ? *now == *then : now == then;
    if (!same) listener_.changed(database, key, now);
  }
}

}  // namespace fnkit::test
