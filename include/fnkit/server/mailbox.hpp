// The newest version of something, handed from the control thread to a worker without a lock.
#pragma once

#include <atomic>
#include <memory>

namespace fnkit::server {

// One writer, one reader; the reader gets the newest, those in between are skipped.
template <class T>
class Mailbox {
 public:
  Mailbox() = default;
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox() { delete box_.load(std::memory_order_acquire); }

  void put(std::shared_ptr<const T> value) {
    auto* letter = new std::shared_ptr<const T>(std::move(value));
    delete box_.exchange(letter, std::memory_order_acq_rel);
  }

  // nullptr when nothing came since the last take().
  std::shared_ptr<const T> take() {
    const std::unique_ptr<std::shared_ptr<const T>> letter(
        box_.exchange(nullptr, std::memory_order_acq_rel));
    return letter == nullptr ? nullptr : std::move(*letter);
  }

 private:
  std::atomic<std::shared_ptr<const T>*> box_ = nullptr;
};

}  // namespace fnkit::server
