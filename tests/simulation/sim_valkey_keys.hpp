// The keys of one database of a simulated Valkey.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fnkit/base/random.hpp"

namespace fnkit::test {

// What stands under a key, and what a follower must make of it.
struct SimValue {
  std::string text;
  bool is_string = true;
  std::vector<std::string> steps;  // of the plan that it is; none: it is no plan

  bool operator==(const SimValue&) const = default;
};

// In an order of their own, as a hash table has one, along which SCAN goes.
class SimKeys {
 public:
  const SimValue* find(const std::string& key) const;
  void put(const std::string& key, SimValue value);
  void remove(const std::string& key);
  std::vector<std::string> all() const;

  // SCAN's promise and no more: a key that is there from the first page (of cursor 0) to the last
  // (which yields cursor 0) is on one at least. A page may be empty, and a key come twice.
  struct Page {
    uint64_t cursor;
    std::vector<std::string> keys;
  };
  Page scan(uint64_t cursor, size_t keys_max, std::string_view prefix, Random& random) const;

 private:
  using Place = std::pair<uint64_t, std::string>;
  static Place place_of(const std::string& key);

  std::map<Place, SimValue> keys_;
};

}  // namespace fnkit::test
