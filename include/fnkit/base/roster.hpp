// Things by name that one thread adds to and that others may look through meanwhile.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace fnkit {

// T has a constructor from its name and a member `name`. Nothing ever leaves, so a T stays where it
// is for as long as the roster lives. Names beyond the limit share one T, whose name no function
// and no pipeline can have: what is counted by name stays bounded, and in sum right.
template <class T>
class Roster {
 public:
  static constexpr size_t kMax = 1000;
  static constexpr std::string_view kOther = "_other";

  // The writer's thread only. Allocates the first time a name is seen.
  T& of(std::string_view name) {
    const auto known = index_.find(name);
    if (known != index_.end()) return *known->second;
    const size_t count = count_.load(std::memory_order_relaxed);
    if (count >= kMax) return other();
    T& added = add(name);
    index_.emplace(std::string(name), &added);
    return added;
  }

  // Calls visit(const T&) for each that has been added, in the order in which they were. Any
  // thread.
  template <class Visit>
  void each(Visit visit) const {
    const size_t count = count_.load(std::memory_order_acquire);
    for (size_t i = 0; i < count; ++i) visit(*all_[i]);
  }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };

  T& other() {
    if (other_ == nullptr) other_ = &add(kOther);
    return *other_;
  }
  T& add(std::string_view name) {
    const size_t count = count_.load(std::memory_order_relaxed);
    all_[count] = std::make_unique<T>(name);
    count_.store(count + 1, std::memory_order_release);
    return *all_[count];
  }

  std::unordered_map<std::string, T*, Hash, std::equal_to<>> index_;
  T* other_ = nullptr;
  std::array<std::unique_ptr<T>, kMax + 1> all_;
  std::atomic<size_t> count_ = 0;
};

}  // namespace fnkit
