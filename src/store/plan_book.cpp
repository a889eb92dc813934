#include "store/plan_book.hpp"

#include "fnkit/base/log.hpp"

namespace fnkit::store {
namespace {

// Warned of once each; beyond it, again: memory is bounded, the log is not at stake.
constexpr size_t kIgnoredMax = 1000;

void warn_of_unknown_keys(const pipeline::Plan& plan) {
  for (const std::string& key : plan.unknown_keys) {
    const std::string_view nearest = pipeline::nearest_key(key);
    if (nearest.empty()) {
      log_event(LogLevel::warning, "store", "unknown key ignored",
                {{"name", plan.name}, {"key", key}});
    } else {
      log_event(LogLevel::warning, "store", "unknown key ignored",
                {{"name", plan.name}, {"key", key}, {"meant", nearest}});
    }
  }
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

void PlanBook::read(const std::string& name, Reading reading) {
  if (reading.kind == Reading::Kind::absent) {
    remove(name);
    return;
  }
  if (!is_taken(name)) return;
  const auto [found, is_new] = known_.try_emplace(name);
  Known& known = found->second;
  if (!is_new && known.reading == reading) return;
  if (!is_new && !known.entry.invalid.empty()) --status_.invalid;
  known.entry = compile(name, reading, known.entry);
  known.reading = std::move(reading);
  if (!known.entry.invalid.empty()) ++status_.invalid;
  changes_.emplace_back(name, known.entry);
}

Entry PlanBook::compile(const std::string& name, const Reading& reading, const Entry& before) {
  Entry entry{before.plan, {}};
  if (reading.kind == Reading::Kind::unreadable) {
    entry.invalid = reading.text;
  } else if (Result<pipeline::Plan> plan = pipeline::compile(name, reading.text)) {
    warn_of_unknown_keys(*plan);
    entry.plan = std::make_shared<const pipeline::Plan>(std::move(*plan));
  } else {
    entry.invalid = plan.error().message;
  }
  return entry;
}

void PlanBook::remove(const std::string& name) {
  const auto found = known_.find(name);
  if (found == known_.end()) return;
  if (!found->second.entry.invalid.empty()) --status_.invalid;
  known_.erase(found);
  changes_.emplace_back(name, std::nullopt);
}

void PlanBook::publish() {
  if (status_.loaded && changes_.empty()) return;
  log_changes();
  snapshot_ = snapshot_->with(std::exchange(changes_, {}));
  status_.pipelines = known_.size();
  status_.loaded = true;
  INVARIANT(snapshot_->size() == known_.size());
  sink_.publish(snapshot_);
}

void PlanBook::log_changes() const {
  const bool each = status_.loaded && changes_.size() <= kChangesLoggedMax;
  size_t logged_invalid = 0;
  size_t removed = 0;
  for (const auto& [name, entry] : changes_) {
    if (!entry) {
      ++removed;
      if (each) log_event(LogLevel::info, "store", "pipeline removed", {{"name", name}});
    } else if (!entry->invalid.empty()) {
      if (++logged_invalid > kChangesLoggedMax) continue;
      log_event(LogLevel::warning, "store", "pipeline invalid",
                {{"name", name}, {"detail", entry->invalid}});
    } else if (each) {
      log_event(LogLevel::info, "store", "pipeline changed", {{"name", name}});
    }
  }
  if (each) return;
  const std::string count = std::to_string(known_.size());
  const std::string invalid = std::to_string(status_.invalid);
  if (!status_.loaded) {
    log_event(LogLevel::info, "store", "pipelines loaded",
              {{"count", count}, {"invalid", invalid}});
    return;
  }
  log_event(LogLevel::info, "store", "pipelines changed",
            {{"changed", std::to_string(changes_.size() - removed)},
             {"removed", std::to_string(removed)},
             {"count", count},
             {"invalid", invalid}});
}

std::vector<std::string> PlanBook::names() const {
  std::vector<std::string> all;
  all.reserve(known_.size());
  for (const auto& [name, known] : known_) all.push_back(name);
  return all;
}

}  // namespace fnkit::store
