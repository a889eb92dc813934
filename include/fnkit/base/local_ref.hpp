// Shared ownership within one thread: a count without atomics.
#pragma once

#include <cstddef>
#include <utility>

namespace fnkit {

// Holds a T for as long as any copy lives. All copies stay on the thread that made the first: where
// cores share a std::shared_ptr, each keeps one in a LocalRef, and its requests copy that instead
// of writing to a count that all cores share. Empty when default-constructed.
template <class T>
class LocalRef {
 public:
  LocalRef() = default;
  explicit LocalRef(T value) : shared_(new Shared{std::move(value), 1}) {}
  LocalRef(const LocalRef& other) : shared_(other.shared_) {
    if (shared_ != nullptr) ++shared_->count;
  }
  LocalRef(LocalRef&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}
  LocalRef& operator=(LocalRef other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  ~LocalRef() {
    if (shared_ != nullptr && --shared_->count == 0) delete shared_;
  }

  explicit operator bool() const { return shared_ != nullptr; }
  const T& operator*() const { return shared_->value; }
  const T* operator->() const { return &shared_->value; }

 private:
  struct Shared {
    T value;
    size_t count;
  };
  Shared* shared_ = nullptr;
};

}  // namespace fnkit
