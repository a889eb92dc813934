// Knows all that ever stood in the simulated Valkey, and whether a snapshot tells the truth.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fnkit/store/store.hpp"
#include "simulation/sim_valkey.hpp"

namespace fnkit::test {

// A snapshot may be behind what the server holds, but each name in it is as the server had it at
// some time, and no earlier than the snapshot before had it.
class StoreWitness final : public store::SnapshotSink, public KeyListener {
 public:
  // Pipelines are kept in `database`. Where `told_in` is not kNoLimit, what a client is told of
  // must be in the snapshot so soon.
  static constexpr Duration kNoLimit = Duration::max();
  StoreWitness(ring::Ring& ring, unsigned database, Duration told_in)
      : ring_(ring), database_(database), told_in_(told_in) {}

  void publish(std::shared_ptr<const store::Snapshot> snapshot) override;
  void changed(unsigned database, const std::string& key, const SimValue* value) override;
  void told(const std::string& key) override;

  // From now on somebody follows: what was before nobody can have seen.
  void forget_past();
  // The last snapshot is what the server holds now.
  void expect_all_the_same(const store::FollowerStatus& status);
  // Of what was told: looks at what should have been published by now.
  void look_at_due();
  void fault(std::string what) { faults_.push_back(std::move(what)); }

  const std::vector<std::string>& faults() const { return faults_; }
  size_t publications() const { return publications_; }
  size_t changes() const { return changes_; }

 private:
  struct State {
    enum class Kind { absent, plan, no_plan };
    Kind kind = Kind::absent;
    std::vector<std::string> steps;
  };
  struct History {
    std::vector<State> states = {State()};
    size_t seen = 0;             // the earliest state that the last snapshot may be of
    std::optional<size_t> plan;  // whose plan is in force in the last snapshot
  };
  struct Due {
    Instant at;
    std::string name;
    size_t state;
  };

  void look_at(const std::string& name, History& history, const store::Entry* entry);
  static bool fits(const State& state, const store::Entry* entry);
  static std::optional<size_t> find_plan(const History& history, const store::Entry& entry);
  static std::optional<size_t> find_state(const History& history, size_t from,
                                          const store::Entry* entry);
  const store::Entry* published(const std::string& name) const;

  ring::Ring& ring_;
  unsigned database_;
  Duration told_in_;
  std::map<std::string, History> histories_;
  std::deque<Due> due_;
  std::shared_ptr<const store::Snapshot> last_;
  std::vector<std::string> faults_;
  size_t publications_ = 0;
  size_t changes_ = 0;
};

}  // namespace fnkit::test
