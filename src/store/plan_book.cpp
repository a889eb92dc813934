#include "store/plan_book.hpp"

#include "fnkit/base/log.hpp"

namespace fnkit::store {
namespace {

// Warned of once each; beyond it, again: memory is bounded, the log is not at stake.
constexpr size_t kIgnoredMax = 1000;

void warn_of_unknown_keys(const std::string& name, const pipeline::Plan& plan) {
  for (const std::string& key : plan.unknown_keys) {
    const std::string_view nearest = pipeline::nearest_key(key);
    if (nearest.empty()) {
      log_event(LogLevel::warning, "store", "unknown key ignored", {{"name", name}, {"key", key}});
    } else {
      log_event(LogLevel::warning, "store", "unknown key ignored",
                {{"name", name}, {"key", key}, {"meant", nearest}});
    }
  }
}

uint64_t digest_of(const Reading& reading) {
  const uint64_t hash = std::hash<std::string_view>()(reading.text);
  return reading.kind == Reading::Kind::config ? hash : ~hash;
}

// What stands under `name` from this reading on; `before` is the plan that is in force. What a
// request reads is made in one go, and so lies together in memory.
std::shared_ptr<const Entry> compile(const std::string& name, const Reading& reading,
                                     std::shared_ptr<const pipeline::Plan> before) {
  Entry entry{name, std::move(before), {}, digest_of(reading)};
  if (reading.kind == Reading::Kind::unreadable) {
    entry.invalid = reading.text;
  } else if (Result<pipeline::Plan> plan = pipeline::compile(reading.text)) {
    warn_of_unknown_keys(name, *plan);
    plan->unknown_keys = {};  // they have been said
    entry.plan = std::make_shared<const pipeline::Plan>(std::move(*plan));
  } else {
    entry.invalid = plan.error().message;
  }
  return std::make_shared<const Entry>(std::move(entry));
}

}  // namespace

Reading too_large() {
  return {Reading::Kind::unreadable,
          "it has more than " + std::to_string(pipeline::kConfigBytesMax) + " bytes"};
}

bool PlanBook::is_taken(const std::string& name) {
  if (pipeline::is_pipeline_name(name)) return true;
  if (ignored_.size() >= kIgnoredMax) ignored_.clear();
  if (ignored_.insert(name).second) {
    log_event(LogLevel::warning, "store", "ignored, as this is no pipeline name",
              {{"name", std::string_view(name).substr(0, 2 * pipeline::kPipelineNameBytesMax)}});
  }
  return false;
}

const Entry* PlanBook::known(std::string_view name) const {
  const auto changed = changes_.find(name);
  if (changed == changes_.end()) return snapshot_->find(name);
  return changed->second.get();
}

void PlanBook::read(const std::string& name, const Reading& reading) {
  const Entry* before = known(name);
  if (reading.kind == Reading::Kind::absent) {
    if (before != nullptr) change(name, nullptr);
    return;
  }
  const uint64_t digest = digest_of(reading);
  if (before != nullptr && before->digest == digest) return;
  if (!is_taken(name)) return;
  change(name, compile(name, reading, before != nullptr ? before->plan : nullptr));
}

void PlanBook::change(const std::string& name, std::shared_ptr<const Entry> entry) {
  if (entry && !entry->invalid.empty()) {
    invalid_.insert(name);
  } else {
    invalid_.erase(name);
  }
  changes_.insert_or_assign(name, std::move(entry));
}

void PlanBook::publish() {
  const bool first = !std::exchange(status_.loaded, true);
  if (!first && changes_.empty()) return;
  const bool each = !first && changes_.size() <= kChangesLoggedMax;
  log_changes(each);
  std::vector<Change> changes;
  for (auto& [name, entry] : changes_) changes.push_back({name, std::move(entry)});
  changes_.clear();
  const std::string count = std::to_string(changes.size());
  snapshot_ = snapshot_->with(std::move(changes));
  status_.pipelines = snapshot_->size();
  tell_invalid();
  if (!each) {
    log_event(LogLevel::info, "store", first ? "pipelines loaded" : "pipelines changed",
              {{"changed", count},
               {"count", std::to_string(status_.pipelines)},
               {"invalid", std::to_string(status_.invalid)}});
  }
  sink_.publish(snapshot_);
  sink_.tell(status_);
}

void PlanBook::tell_invalid() {
  status_.invalid = invalid_.size();
  status_.some_invalid.clear();
  for (const std::string& name : invalid_) {
    if (status_.some_invalid.size() == FollowerStatus::kSomeInvalidMax) break;
    status_.some_invalid.push_back({name, snapshot_->find(name)->invalid});
  }
}

// Every one, or only why some are invalid.
void PlanBook::log_changes(bool each) const {
  size_t logged_invalid = 0;
  for (const auto& [name, entry] : changes_) {
    if (entry && !entry->invalid.empty()) {
      if (++logged_invalid > kChangesLoggedMax) continue;
      log_event(LogLevel::warning, "store", "pipeline invalid",
                {{"name", name}, {"detail", entry->invalid}});
    } else if (each) {
      log_event(LogLevel::info, "store", entry ? "pipeline changed" : "pipeline removed",
                {{"name", name}});
    }
  }
}

std::vector<std::string> PlanBook::names(size_t part) const {
  std::vector<std::string> found;
  for (const std::string_view name : snapshot_->names(part)) {
    if (knows(name)) found.emplace_back(name);
  }
  for (const auto& [name, entry] : changes_) {
    const bool is_new = entry && snapshot_->find(name) == nullptr;
    if (is_new && Snapshot::part_of(name) == part) found.push_back(name);
  }
  return found;
}

}  // namespace fnkit::store
