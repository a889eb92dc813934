#include "simulation/sim_valkey_keys.hpp"

namespace fnkit::test {

// FNV-1a. Never 0, which is no place to go on from.
SimKeys::Place SimKeys::place_of(const std::string& key) {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return {(hash >> 32) + 1, key};
}

const SimValue* SimKeys::find(const std::string& key) const {
  const auto found = keys_.find(place_of(key));
  return found == keys_.end() ? nullptr : &found->second;
}

void SimKeys::put(const std::string& key, SimValue value) {
  keys_.insert_or_assign(place_of(key), std::move(value));
}

void SimKeys::remove(const std::string& key) { keys_.erase(place_of(key)); }

std::vector<std::string> SimKeys::all() const {
  std::vector<std::string> keys;
  for (const auto& [place, value] : keys_) keys.push_back(place.second);
  return keys;
}

SimKeys::Page SimKeys::scan(uint64_t cursor, size_t keys_max, std::string_view prefix,
                            Random& random) const {
  if (random.chance(10)) return {std::max<uint64_t>(cursor, 1), {}};
  Page page{0, {}};
  size_t looked_at = 0;
  for (auto at = keys_.lower_bound({cursor, std::string()}); at != keys_.end(); ++at) {
    const auto& [hash, key] = at->first;
    // Keys of one place are not to be told apart by a cursor.
    if (looked_at >= keys_max && hash != cursor) {
      page.cursor = hash;
      break;
    }
    ++looked_at;
    cursor = hash;
    if (key.starts_with(prefix)) page.keys.push_back(key);
  }
  if (!page.keys.empty() && random.chance(20)) page.keys.push_back(page.keys.front());
  if (random.chance(10)) {
    for (const auto& [place, value] : keys_) {
      if (place.second.starts_with(prefix) && random.chance(10)) page.keys.push_back(place.second);
    }
  }
  return page;
}

}  // namespace fnkit::test
