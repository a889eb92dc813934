// A Valkey on the simulated network: what a follower asks of it, as a real one answers it, and all
// that can go wrong with it.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/net/listener.hpp"
#include "simulation/sim_valkey_client.hpp"
#include "simulation/sim_valkey_keys.hpp"

namespace fnkit::test {

struct ValkeyManners {
  std::string password;  // empty: none is asked for
  std::string flags;     // notify-keyspace-events, as its configuration file has it
  bool refuses_config = false;
  bool refuses_tracking = false;
  size_t page_keys = 10;  // SCAN's
  Duration delay_max{};   // what is said on a connection leaves up to so much later
  unsigned loses = 0;     // percent of the notifications
  unsigned doubles = 0;   // percent of the notifications
  bool stale = false;     // a canary: the first reading after a change yields what was before
  unsigned flickers = 0;  // so many of the first readings are followed by the key's coming or going
  unsigned busy_times = 0;  // so many of the first commands come while a script runs
  // The connection of this number, from 0 on, is cut so.
  std::map<size_t, Cut> cuts;
};

// Told what happens to keys when it happens.
struct KeyListener {
  virtual ~KeyListener() = default;
  // From now on `value` stands under `key`; nullptr: nothing.
  virtual void changed(unsigned database, const std::string& key, const SimValue* value) = 0;
  // A client has been told of it.
  virtual void told(const std::string& key) = 0;
};

class SimValkey {
 public:
  SimValkey(SimulatedRing& ring, const net::Address& address, ValkeyManners manners,
            KeyListener& listener, uint64_t seed);

  // Ends when stopped and all its connections have ended.
  coro::Task<void> run();
  void stop();

  // --- what other clients do
  const SimValue* find(unsigned database, const std::string& key) const;
  // `events` are told in their order: "set", "del" …, as a real one names them.
  void put(unsigned database, const std::string& key, SimValue value,
           const std::vector<std::string_view>& events);
  void remove(unsigned database, const std::string& key, std::string_view event);
  void rename(unsigned database, const std::string& from, const std::string& to);
  void flush_all();
  void set_flags(std::string flags) { flags_ = std::move(flags); }
  // A key whose time is over is gone at once, but that is told when the server comes across it.
  void lapse(unsigned database, const std::string& key);
  void come_across(unsigned database, const std::string& key);

  // --- what may go wrong
  ValkeyManners& manners() { return manners_; }
  void set_hangs(bool hangs) { hangs_ = hangs; }
  // What reading commands, or for NOAUTH and BUSY all, are answered with; empty: their answers.
  void set_refusal(std::string error) { refusal_ = std::move(error); }
  void set_full(bool full) { full_ = full; }
  const std::vector<SimValkeyClient*>& clients() const { return clients_; }
  // What is on the disk, and a start with it: with other data than before, maybe, and without any
  // connection.
  void save() { saved_ = databases_; }
  void restart();

  // Sent on connections that have ended, by their number.
  const std::vector<size_t>& bytes_sent() const { return bytes_sent_; }

 private:
  using Words = std::vector<std::string>;
  using Databases = std::map<unsigned, SimKeys>;

  coro::Task<void> serve(int fd);
  coro::Task<void> answer(SimValkeyClient& client);

  // --- what clients are told (sim_valkey.cpp)
  void notify(SimValkeyClient& client, const std::string& message);
  void tell_keyspace(unsigned database, const std::string& key, std::string_view event);
  void touch(unsigned database, const std::string& key);
  coro::Task<void> tell_invalidations();
  void changed(unsigned database, const std::string& key, const SimValue* before);

  // --- what they ask (sim_valkey_commands.cpp)
  std::string answer_to(SimValkeyClient& client, const Words& words);
  std::string refusal_of(const SimValkeyClient& client, const std::string& name);
  std::string log_in(SimValkeyClient& client, const Words& words);
  std::string config(const Words& words);
  std::string client_command(SimValkeyClient& client, const Words& words);
  std::string subscribe(SimValkeyClient& client, const std::string& name, const Words& words);
  std::string scan(const SimValkeyClient& client, const Words& words);
  std::string read(const SimValkeyClient& client, const std::string& name, const Words& words);
  void flicker(unsigned database, const std::string& key);

  SimulatedRing& ring_;
  ValkeyManners manners_;
  KeyListener& listener_;
  Random random_;
  net::Listener accepting_;
  coro::TaskGroup tasks_;
  std::vector<SimValkeyClient*> clients_;
  std::vector<size_t> bytes_sent_;
  Databases databases_;
  Databases saved_;
  std::map<std::pair<unsigned, std::string>, SimValue> stale_;
  std::set<std::pair<unsigned, std::string>> lapsed_;   // and not told yet
  std::set<std::pair<unsigned, std::string>> touched_;  // and not told through tracking yet
  std::string flags_;
  std::string refusal_;
  bool hangs_ = false;
  bool full_ = false;
  bool stopping_ = false;
};

}  // namespace fnkit::test
