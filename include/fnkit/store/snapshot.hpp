// All pipelines at one moment: immutable, made on the control thread, read by every core.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fnkit/pipeline/plan.hpp"

namespace fnkit::store {

// What is stored under one name.
struct Entry {
  std::shared_ptr<const pipeline::Plan> plan;  // in force; null where no value was ever valid
  std::string invalid;  // why the value that is stored now is no pipeline; empty where it is one
};

// A name and what stands under it from now on; nothing: it is gone.
using Change = std::pair<std::string, std::optional<Entry>>;

// Never changes. Any thread may read one that it holds.
class Snapshot {
 public:
  // nullptr where there is none; else it lives as long as this does.
  const Entry* find(std::string_view name) const;

  size_t size() const { return size_; }

  // This one with `changes` made, the last of a name counting. They share what did not change, so
  // that one change among 10^5 entries costs a few hundred copies, not 10^5.
  std::shared_ptr<const Snapshot> with(std::vector<Change> changes) const;

 private:
  static constexpr size_t kShards = 256;
  using Shard = std::map<std::string, Entry, std::less<>>;

  static size_t shard_of(std::string_view name) {
    return std::hash<std::string_view>()(name) % kShards;
  }

  std::array<std::shared_ptr<const Shard>, kShards> shards_;  // null: empty
  size_t size_ = 0;
};

// Who is told of a new snapshot; called on the control thread.
struct SnapshotSink {
  virtual ~SnapshotSink() = default;
  virtual void publish(std::shared_ptr<const Snapshot> snapshot) = 0;
};

}  // namespace fnkit::store
