#include "fnkit/store/snapshot.hpp"

namespace fnkit::store {

const Entry* Snapshot::find(std::string_view name) const {
  const Shard* shard = shards_[shard_of(name)].get();
  if (shard == nullptr) return nullptr;
  const auto found = shard->find(name);
  return found == shard->end() ? nullptr : &found->second;
}

std::shared_ptr<const Snapshot> Snapshot::with(std::vector<Change> changes) const {
  auto next = std::make_shared<Snapshot>(*this);
  std::array<std::shared_ptr<Shard>, kShards> copies;  // of the shards that change
  for (auto& [name, entry] : changes) {
    const size_t at = shard_of(name);
    if (copies[at] == nullptr) {
      copies[at] = shards_[at] ? std::make_shared<Shard>(*shards_[at]) : std::make_shared<Shard>();
      next->shards_[at] = copies[at];
    }
    next->size_ -= copies[at]->size();
    if (entry) {
      copies[at]->insert_or_assign(std::move(name), std::move(*entry));
    } else {
      copies[at]->erase(name);
    }
    next->size_ += copies[at]->size();
  }
  return next;
}

}  // namespace fnkit::store
