// All pipelines at one moment: immutable, made on the control thread, read by every core.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fnkit/pipeline/plan.hpp"

namespace fnkit::store {

// What is stored under one name.
struct Entry {
  std::string name;
  std::shared_ptr<const pipeline::Plan> plan;  // in force; null where no value was ever valid
  std::string invalid;  // why the value that is stored now is no pipeline; empty where it is one
  uint64_t digest = 0;  // of what was read, to know it again: cheaper to keep than the text
};

// A name and what stands under it from now on; null: it is gone.
struct Change {
  std::string name;
  std::shared_ptr<const Entry> entry;
};

// Never changes. Any thread may read one that it holds.
//
// A tree of fixed depth, by the hash of the name: 64 branches of 64 leaves. The next snapshot
// shares with this one all but the leaves that change and what leads to them, so that one change
// among 10^5 entries copies some 150 pointers.
class Snapshot {
 public:
  // Names are spread evenly over so many parts, each name always in the same one.
  static constexpr size_t kParts = 64;
  static size_t part_of(std::string_view name) { return branch_of(hash_of(name)); }

  // nullptr where there is none; else it lives as long as this does.
  const Entry* find(std::string_view name) const;
  size_t size() const { return size_; }
  // Those of one part, in no order; they live as long as this does.
  std::vector<std::string_view> names(size_t part) const;

  // This one with `changes` made, the last of a name counting.
  std::shared_ptr<const Snapshot> with(std::vector<Change> changes) const;

 private:
  struct Item {
    size_t hash;
    std::shared_ptr<const Entry> entry;
  };
  // An array, as each step from here to a plan is one more line that is in no cache.
  struct Leaf {
    std::shared_ptr<const Item[]> items;  // by hash
    size_t count = 0;

    std::span<const Item> all() const { return {items.get(), count}; }
  };
  static constexpr size_t kLeaves = 64;
  using Branch = std::array<Leaf, kLeaves>;
  class Editor;

  static size_t hash_of(std::string_view name) { return std::hash<std::string_view>()(name); }
  static size_t branch_of(size_t hash) { return hash % kParts; }
  static size_t leaf_of(size_t hash) { return hash / kParts % kLeaves; }
  static size_t place_of_hash(std::span<const Item> items, size_t hash);
  static size_t place_in(std::span<const Item> items, size_t hash, std::string_view name);

  std::array<std::shared_ptr<const Branch>, kParts> branches_;  // null: empty
  size_t size_ = 0;
};

struct FollowerStatus;

// Who is told of new snapshots and of how the store is; called on the control thread.
struct SnapshotSink {
  virtual ~SnapshotSink() = default;
  virtual void publish(std::shared_ptr<const Snapshot> snapshot) = 0;
  virtual void tell(const FollowerStatus& /*status*/) {}
};

}  // namespace fnkit::store
