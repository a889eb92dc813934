#include "fnkit/store/snapshot.hpp"

#include <algorithm>
#include <map>

namespace fnkit::store {

// Where `name` stands in the leaf, or would; its end where it stands nowhere.
size_t Snapshot::place_in(const Leaf& leaf, size_t hash, std::string_view name) {
  const auto first = std::partition_point(leaf.begin(), leaf.end(),
                                          [&](const Item& item) { return item.hash < hash; });
  for (auto at = first; at != leaf.end() && at->hash == hash; ++at) {
    if (at->named->name == name) return static_cast<size_t>(at - leaf.begin());
  }
  return leaf.size();
}

const Entry* Snapshot::find(std::string_view name) const {
  const size_t hash = hash_of(name);
  const Branch* branch = branches_[branch_of(hash)].get();
  if (branch == nullptr) return nullptr;
  const Leaf* leaf = (*branch)[leaf_of(hash)].get();
  if (leaf == nullptr) return nullptr;
  const size_t place = place_in(*leaf, hash, name);
  return place == leaf->size() ? nullptr : &(*leaf)[place].named->entry;
}

std::vector<std::string_view> Snapshot::names(size_t part) const {
  std::vector<std::string_view> found;
  if (branches_[part] == nullptr) return found;
  for (const auto& leaf : *branches_[part]) {
    if (leaf == nullptr) continue;
    for (const Item& item : *leaf) found.push_back(item.named->name);
  }
  return found;
}

// Changes a snapshot that nobody else has seen yet; copies what it shares before it changes it.
class Snapshot::Editor {
 public:
  explicit Editor(Snapshot& snapshot) : snapshot_(snapshot) {}

  void apply(std::string name, std::optional<Entry> entry) {
    const size_t hash = hash_of(name);
    Leaf& leaf = own_leaf(hash);
    const size_t place = place_in(leaf, hash, name);
    const auto at = leaf.begin() + static_cast<ptrdiff_t>(place);
    const bool known = at != leaf.end();
    if (!entry) {
      if (!known) return;
      leaf.erase(at);
      --snapshot_.size_;
      return;
    }
    auto named = std::make_shared<const Named>(Named{std::move(name), std::move(*entry)});
    if (known) {
      at->named = std::move(named);
      return;
    }
    const auto behind = std::partition_point(leaf.begin(), leaf.end(),
                                             [&](const Item& item) { return item.hash < hash; });
    leaf.insert(behind, Item{hash, std::move(named)});
    ++snapshot_.size_;
  }

 private:
  Branch& own_branch(size_t index) {
    if (branches_[index] == nullptr) {
      const auto& shared = snapshot_.branches_[index];
      auto copy = shared ? std::make_shared<Branch>(*shared) : std::make_shared<Branch>();
      branches_[index] = copy.get();
      snapshot_.branches_[index] = std::move(copy);
    }
    return *branches_[index];
  }

  Leaf& own_leaf(size_t hash) {
    const auto [found, is_new] = leaves_.try_emplace(hash % (kParts * kLeaves), nullptr);
    if (is_new) {
      std::shared_ptr<const Leaf>& shared = own_branch(branch_of(hash))[leaf_of(hash)];
      auto copy = shared ? std::make_shared<Leaf>(*shared) : std::make_shared<Leaf>();
      found->second = copy.get();
      shared = std::move(copy);
    }
    return *found->second;
  }

  Snapshot& snapshot_;
  std::array<Branch*, kParts> branches_{};
  std::map<size_t, Leaf*> leaves_;
};

std::shared_ptr<const Snapshot> Snapshot::with(std::vector<Change> changes) const {
  auto next = std::make_shared<Snapshot>(*this);
  Editor editor(*next);
  for (auto& [name, entry] : changes) editor.apply(std::move(name), std::move(entry));
  return next;
}

}  // namespace fnkit::store
