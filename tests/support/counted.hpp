// An object that is counted: constructions and destructions must balance, each of its objects must
// die once and where it lives.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace fnkit::test {

class Counted {
 public:
  explicit Counted(int value) : self_(this), value_(value) { ++alive_; }
  Counted(const Counted& other) : self_(this), value_(other.value()) { ++alive_; }
  Counted(Counted&& other) noexcept : self_(this), value_(std::exchange(other.value_, -1)) {
    other.check();
    ++alive_;
  }
  Counted& operator=(const Counted&) = delete;
  Counted& operator=(Counted&& other) noexcept {
    check();
    value_ = std::exchange(other.value_, -1);
    return *this;
  }
  ~Counted() {
    check();
    self_ = nullptr;
    --alive_;
  }

  int value() const {
    check();
    return value_;
  }
  static int64_t alive() { return alive_; }

 private:
  // Copied by bytes, destroyed twice or never constructed: the pointer to itself is wrong.
  void check() const {
    if (self_ == this) return;
    std::fprintf(stderr, "an object is used that does not live here\n");
    std::abort();
  }

  const Counted* self_;
  int value_;
  static inline int64_t alive_ = 0;
};

}  // namespace fnkit::test
