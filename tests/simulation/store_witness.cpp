#include "simulation/store_witness.hpp"

#include <algorithm>

namespace fnkit::test {
namespace {

constexpr std::string_view kPrefix = "fnkit:pipeline:";

std::string text_of(const store::Entry* entry) {
  if (entry == nullptr) return "absent";
  std::string text = entry->plan ? "a plan of" : "no plan";
  if (entry->plan) {
    for (const std::string& step : pipeline::step_names(*entry->plan)) text += " " + step;
  }
  return entry->invalid.empty() ? text : text + ", and invalid (" + entry->invalid + ")";
}

bool same(const store::Entry* one, const store::Entry* other) {
  if (one == nullptr || other == nullptr) return one == other;
  return one->plan == other->plan && one->invalid == other->invalid;
}

}  // namespace

void StoreWitness::changed(unsigned database, const std::string& key, const SimValue* value) {
  if (database != database_ || !key.starts_with(kPrefix)) return;
  const std::string name = key.substr(kPrefix.size());
  if (!pipeline::is_pipeline_name(name)) return;
  State state;
  if (value != nullptr) {
    state.kind = value->steps.empty() ? State::Kind::no_plan : State::Kind::plan;
    state.steps = value->steps;
  }
  histories_[name].states.push_back(std::move(state));
  ++changes_;
}

void StoreWitness::forget_past() {
  for (auto& [name, history] : histories_) {
    history.states.erase(history.states.begin(), history.states.end() - 1);
  }
}

void StoreWitness::told(const std::string& key) {
  if (told_in_ == kNoLimit || last_ == nullptr || !key.starts_with(kPrefix)) return;
  const std::string name = key.substr(kPrefix.size());
  const auto found = histories_.find(name);
  if (found == histories_.end()) return;
  due_.push_back({later(ring_.now(), told_in_), name, found->second.states.size() - 1});
}

const store::Entry* StoreWitness::published(const std::string& name) const {
  return last_ == nullptr ? nullptr : last_->find(name);
}

void StoreWitness::look_at_due() {
  while (!due_.empty() && due_.front().at < ring_.now()) {
    const Due due = std::move(due_.front());
    due_.pop_front();
    const History& history = histories_.at(due.name);
    const store::Entry* entry = published(due.name);
    bool is_in = false;
    for (size_t i = due.state; i < history.states.size(); ++i) {
      is_in = is_in || fits(history.states[i], entry);
    }
    if (!is_in) fault(due.name + " was told to have changed and is still " + text_of(entry));
  }
}

void StoreWitness::publish(std::shared_ptr<const store::Snapshot> snapshot) {
  look_at_due();
  ++publications_;
  size_t found = 0;
  for (auto& [name, history] : histories_) {
    const store::Entry* entry = snapshot->find(name);
    found += entry == nullptr ? 0 : 1;
    if (same(entry, published(name))) continue;
    look_at(name, history, entry);
  }
  if (found != snapshot->size()) fault("a snapshot has names that were never stored");
  last_ = std::move(snapshot);
}

bool StoreWitness::fits(const State& state, const store::Entry* entry) {
  if (state.kind == State::Kind::absent || entry == nullptr) {
    return (state.kind == State::Kind::absent) == (entry == nullptr);
  }
  if (state.kind == State::Kind::no_plan) return !entry->invalid.empty();
  return entry->invalid.empty() && entry->plan && pipeline::step_names(*entry->plan) == state.steps;
}

// Whose plan `entry` has, the earliest that may be meant.
std::optional<size_t> StoreWitness::find_plan(const History& history, const store::Entry& entry) {
  const std::vector<std::string> steps = pipeline::step_names(*entry.plan);
  for (size_t i = history.plan.value_or(history.seen); i < history.states.size(); ++i) {
    const State& state = history.states[i];
    if (state.kind == State::Kind::plan && state.steps == steps) return i;
  }
  return std::nullopt;
}

// The earliest state from `from` on that `entry` may be of. Of an invalid one, the last good plan
// stays in force: it is missing only where there was none, or where the name was gone in between.
std::optional<size_t> StoreWitness::find_state(const History& history, size_t from,
                                               const store::Entry* entry) {
  bool plan_expected = history.plan.has_value();
  for (size_t i = from; i < history.states.size(); ++i) {
    const State& state = history.states[i];
    if (state.kind == State::Kind::absent) plan_expected = false;
    if (!fits(state, entry)) continue;
    if (entry != nullptr && !entry->plan && plan_expected) continue;
    return i;
  }
  return std::nullopt;
}

void StoreWitness::look_at(const std::string& name, History& history, const store::Entry* entry) {
  std::optional<size_t> plan;
  if (entry != nullptr && entry->plan) plan = find_plan(history, *entry);
  const bool has_plan = entry != nullptr && entry->plan;
  const size_t from = std::max(history.seen, plan.value_or(0));
  const std::optional<size_t> state = find_state(history, from, entry);
  if (!state || plan.has_value() != has_plan) {
    bool was = false;
    for (size_t i = 0; i < history.seen; ++i) was = was || fits(history.states[i], entry);
    fault(name + " is published as " + text_of(entry) + " after " + text_of(published(name)) +
          (was ? ", which it was before that" : ", which it never was"));
    return;
  }
  history.seen = *state;
  history.plan = plan;
}

void StoreWitness::expect_all_the_same(const store::FollowerStatus& status) {
  look_at_due();
  size_t stored = 0;
  size_t invalid = 0;
  for (const auto& [name, history] : histories_) {
    const State& state = history.states.back();
    stored += state.kind == State::Kind::absent ? 0 : 1;
    invalid += state.kind == State::Kind::no_plan ? 1 : 0;
    const store::Entry* entry = published(name);
    if (fits(state, entry)) continue;
    fault(name + " differs in the end: it is published as " + text_of(entry) + ", and stored is " +
          (state.kind == State::Kind::absent    ? "nothing"
           : state.kind == State::Kind::no_plan ? "no config"
                                                : state.steps.front()));
  }
  if (last_ == nullptr) fault("nothing was ever published");
  if (last_ != nullptr && last_->size() != stored) fault("the last snapshot has other names");
  if (status.pipelines != stored || status.invalid != invalid) {
    fault("the status counts " + std::to_string(status.pipelines) + " pipelines and " +
          std::to_string(status.invalid) + " invalid ones of " + std::to_string(stored) + " and " +
          std::to_string(invalid));
  }
  if (!status.loaded || !status.connected || !status.trouble.empty()) {
    fault("the status says that the store is away: " + status.trouble);
  }
}

}  // namespace fnkit::test
