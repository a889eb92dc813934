#include "micro/memory_ring.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace fnkit::bench {
namespace {

// No descriptor of the process: whoever asks the kernel about one is told that there is none.
constexpr int kFirstDescriptor = 1'000'000;
// The same in each run: so is what depends on it.
constexpr Duration kTurn = std::chrono::microseconds(1);
constexpr Instant kBegin = Instant(std::chrono::hours(1));

}  // namespace

MemoryRing::MemoryRing(Outside& outside) : Ring(kBegin), outside_(outside), clock_(kBegin) {}

ring::Operation*& MemoryRing::armed(int fd) {
  return armed_.at(static_cast<size_t>(fd - kFirstDescriptor));
}

int MemoryRing::listen() {
  armed_.push_back(nullptr);
  return kFirstDescriptor + static_cast<int>(armed_.size()) - 1;
}

Result<int> MemoryRing::open_socket(int) { return listen(); }

int MemoryRing::connect_to(int listener) {
  const int fd = listen();
  REQUIRE(armed(listener) != nullptr);
  completions_.push_back({armed(listener), fd, true, {}});
  return fd;
}

void MemoryRing::say(int fd, std::string_view bytes) {
  REQUIRE(armed(fd) != nullptr);
  completions_.push_back({armed(fd), static_cast<int32_t>(bytes.size()), true, bytes});
}

void MemoryRing::close(int fd) { REQUIRE(armed(fd) == nullptr); }

void MemoryRing::start(ring::Operation& operation) {
  switch (operation.verb) {
    case ring::Verb::accept:
    case ring::Verb::receive: armed(operation.fd) = &operation; break;
    case ring::Verb::receive_into: REQUIRE(false); break;  // nothing large is said here
    case ring::Verb::send: send(operation); break;
    case ring::Verb::connect: completions_.push_back({&operation, 0, false, {}}); break;
    case ring::Verb::poll:
    case ring::Verb::read: reads_.push_back(&operation); break;
  }
}

void MemoryRing::send(ring::Operation& operation) {
  const std::span<const iovec> parts(operation.parts.data(), operation.part_count);
  for (const iovec& part : parts) operation.sent += static_cast<int32_t>(part.iov_len);
  completions_.push_back({&operation, operation.sent, false, {}});
  outside_.sent(operation.fd, parts);
}

void MemoryRing::stop(ring::Operation& operation) {
  if (operation.verb == ring::Verb::send || operation.verb == ring::Verb::connect) return;
  if (operation.verb == ring::Verb::read || operation.verb == ring::Verb::poll) {
    std::erase(reads_, &operation);
  } else {
    armed(operation.fd) = nullptr;
  }
  completions_.push_back({&operation, -ECANCELED, false, {}});
}

void MemoryRing::wait(Instant until) {
  clock_ += kTurn;
  if (!completions_.empty() || until <= departed()) return;
  outside_.idle();
  if (completions_.empty()) look_at_descriptors();
  if (!completions_.empty()) return;
  REQUIRE(until != kNever);
  clock_ = std::max(clock_, until);
}

void MemoryRing::look_at_descriptors() {
  for (ring::Operation* operation : reads_) {
    pollfd look{operation->fd, POLLIN, 0};
    if (::poll(&look, 1, 0) <= 0) continue;
    REQUIRE(operation->verb == ring::Verb::read);
    const iovec& into = operation->parts[0];
    const auto bytes = static_cast<int32_t>(::read(operation->fd, into.iov_base, into.iov_len));
    completions_.push_back({operation, bytes, false, {}});
    std::erase(reads_, operation);
    return;
  }
}

void MemoryRing::reap() {
  reaping_.swap(completions_);
  for (const Completion& completion : reaping_) {
    completion.operation->data = completion.data;
    complete(*completion.operation, completion.result, completion.more);
  }
  reaping_.clear();
}

}  // namespace fnkit::bench
