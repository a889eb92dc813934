#include "fnkit/store/snapshot.hpp"

#include <algorithm>
#include <map>

namespace fnkit::store {

// The first place with this hash or a greater one. Hashes are spread evenly, so a guess is off by
// one or two places; a binary search would fetch twice as many lines of the cache.
size_t Snapshot::place_of_hash(std::span<const Item> items, size_t hash) {
  constexpr unsigned kHighBits = 32;
  size_t place = (hash >> kHighBits) * items.size() >> kHighBits;
  while (place > 0 && items[place - 1].hash >= hash) --place;
  while (place < items.size() && items[place].hash < hash) ++place;
  return place;
}

// Where `name` stands among the items, or their end.
size_t Snapshot::place_in(std::span<const Item> items, size_t hash, std::string_view name) {
  size_t place = place_of_hash(items, hash);
  while (place < items.size() && items[place].hash == hash) {
    if (items[place].entry->name == name) return place;
    ++place;
  }
  return items.size();
}

const Entry* Snapshot::find(std::string_view name) const {
  const size_t hash = hash_of(name);
  const Branch* branch = branches_[branch_of(hash)].get();
  if (branch == nullptr) return nullptr;
  const std::span<const Item> items = (*branch)[leaf_of(hash)].all();
  const size_t place = place_in(items, hash, name);
  return place == items.size() ? nullptr : items[place].entry.get();
}

std::vector<std::string_view> Snapshot::names(size_t part) const {
  std::vector<std::string_view> found;
  if (branches_[part] == nullptr) return found;
  for (const Leaf& leaf : *branches_[part]) {
    for (const Item& item : leaf.all()) found.push_back(item.entry->name);
  }
  return found;
}

// Gathers changes leaf by leaf, then makes a snapshot that nobody else has seen yet of them.
class Snapshot::Editor {
 public:
  explicit Editor(Snapshot& snapshot) : snapshot_(snapshot) {}

  void apply(Change change) {
    const size_t hash = hash_of(change.name);
    Items& items = items_of(hash);
    const auto at = items.begin() + static_cast<ptrdiff_t>(place_in(items, hash, change.name));
    const bool known = at != items.end();
    if (known && change.entry == nullptr) {
      items.erase(at);
    } else if (known) {
      at->entry = std::move(change.entry);
    } else if (change.entry != nullptr) {
      const auto behind = items.begin() + static_cast<ptrdiff_t>(place_of_hash(items, hash));
      items.insert(behind, Item{hash, std::move(change.entry)});
    }
  }

  void finish() {
    std::array<Branch*, kParts> branches{};
    for (auto& [place, items] : changed_) {
      Branch*& branch = branches[branch_of(place)];
      if (branch == nullptr) branch = &own_branch(snapshot_.branches_[branch_of(place)]);
      Leaf& leaf = (*branch)[leaf_of(place)];
      snapshot_.size_ += items.size() - leaf.count;
      const auto made = std::make_shared<Item[]>(items.size());
      std::move(items.begin(), items.end(), made.get());
      leaf = Leaf{made, items.size()};
    }
  }

 private:
  using Items = std::vector<Item>;

  Items& items_of(size_t hash) {
    const auto [found, is_new] = changed_.try_emplace(hash % (kParts * kLeaves));
    const Branch* branch = snapshot_.branches_[branch_of(hash)].get();
    if (is_new && branch != nullptr) {
      const std::span<const Item> items = (*branch)[leaf_of(hash)].all();
      found->second.assign(items.begin(), items.end());
    }
    return found->second;
  }

  static Branch& own_branch(std::shared_ptr<const Branch>& shared) {
    auto copy = shared ? std::make_shared<Branch>(*shared) : std::make_shared<Branch>();
    Branch& owned = *copy;
    shared = std::move(copy);
    return owned;
  }

  Snapshot& snapshot_;
  std::map<size_t, Items> changed_;  // by the part of the hash that says which leaf it is
};

std::shared_ptr<const Snapshot> Snapshot::with(std::vector<Change> changes) const {
  auto next = std::make_shared<Snapshot>(*this);
  Editor editor(*next);
  for (Change& change : changes) editor.apply(std::move(change));
  editor.finish();
  return next;
}

}  // namespace fnkit::store
