// Things that other threads put in and one thread takes out.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

namespace fnkit::server {

// put() from any thread; who reads has to be told by other means. Not for the way of a request: it
// takes a lock.
template <class T>
class Inbox {
 public:
  void put(T thing) {
    const std::lock_guard lock(mutex_);
    things_.push_back(std::move(thing));
  }
  std::vector<T> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(things_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<T> things_;
};

}  // namespace fnkit::server
