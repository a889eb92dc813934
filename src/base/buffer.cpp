#include "fnkit/base/buffer.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <utility>
#include <vector>

#include "fnkit/base/check.hpp"
#include "fnkit/base/sanitizer.hpp"

namespace fnkit {
namespace {

// Most messages fit one block, so blocks of this size go round in a free list instead of malloc.
constexpr size_t kBlockBytes = 4096;
constexpr size_t kBlockCapacity = kBlockBytes - Buffer::kPadding;
constexpr size_t kBlocksKept = kAddressSanitizer ? 0 : 1024;

// The kernel would map and clear the pages of each large message anew, a third of what a message of
// 1 MiB costs (bench/run --only "1 MiB"). So as many bytes stay as buffers hold, within these,
// and no more than a quarter of what they may hold.
constexpr size_t kLargeBytesMin = 256 * 1024;
constexpr size_t kLargeBytesKeptMin = 4 * 1024 * 1024;
constexpr size_t kLargeBytesKeptMax = 16 * 1024 * 1024;

struct Block {
  char* storage;
  size_t capacity;
};

struct ThreadBlocks {
  std::vector<char*> free;
  std::vector<Block> large;
  size_t large_bytes = 0;
  size_t held = 0;
  size_t held_max = std::numeric_limits<size_t>::max();
  ThreadBlocks() { free.reserve(kBlocksKept); }
  ~ThreadBlocks() {
    for (char* block : free) std::free(block);
    for (const Block& block : large) std::free(block.storage);
  }
};
thread_local ThreadBlocks blocks;

// The smallest large one kept that has `capacity`, or nullptr.
Block* find_large(size_t capacity) {
  Block* best = nullptr;
  if (capacity < kLargeBytesMin) return best;
  for (Block& block : blocks.large) {
    const bool fits = block.capacity >= capacity;
    if (fits && (best == nullptr || block.capacity < best->capacity)) best = &block;
  }
  return best;
}

Block take(Block& large) {
  const Block taken = std::exchange(large, blocks.large.back());
  blocks.large.pop_back();
  blocks.large_bytes -= taken.capacity;
  return taken;
}

char* allocate_anew(size_t capacity) {
  if (capacity == kBlockCapacity && !blocks.free.empty()) {
    char* block = blocks.free.back();
    blocks.free.pop_back();
    return block;
  }
  void* memory = std::malloc(capacity + Buffer::kPadding);
  if (memory == nullptr) throw std::bad_alloc();
  return static_cast<char*>(memory);
}

// At least `capacity`.
Block allocate(size_t capacity) {
  Block* kept = find_large(capacity);
  const Block block = kept != nullptr ? take(*kept) : Block{allocate_anew(capacity), capacity};
  blocks.held += block.capacity + Buffer::kPadding;
  return block;
}

// Of large blocks the C library moves the pages and copies nothing.
char* reallocate(char* storage, size_t capacity, size_t wanted) {
  void* memory = std::realloc(storage, wanted + Buffer::kPadding);
  if (memory == nullptr) throw std::bad_alloc();
  blocks.held += wanted - capacity;
  return static_cast<char*>(memory);
}

void free_what_is_not_kept() {
  const size_t most = std::clamp(blocks.held_max / 4, kLargeBytesKeptMin, kLargeBytesKeptMax);
  const size_t kept = std::clamp(blocks.held, kLargeBytesKeptMin, most);
  while (blocks.large_bytes > kept) std::free(take(blocks.large.front()).storage);
}

void release(char* storage, size_t capacity) {
  if (storage == nullptr) return;
  blocks.held -= capacity + Buffer::kPadding;
  if (capacity == kBlockCapacity && blocks.free.size() < kBlocksKept) {
    blocks.free.push_back(storage);
  } else if (capacity >= kLargeBytesMin && !kAddressSanitizer) {
    blocks.large.push_back({storage, capacity});
    blocks.large_bytes += capacity;
  } else {
    std::free(storage);
  }
  if (blocks.large_bytes > kLargeBytesKeptMin) free_what_is_not_kept();
}

}  // namespace

Buffer::Buffer(Buffer&& other) noexcept
    : storage_(std::exchange(other.storage_, nullptr)),
      begin_(std::exchange(other.begin_, 0)),
      end_(std::exchange(other.end_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(storage_, other.storage_);
  std::swap(begin_, other.begin_);
  std::swap(end_, other.end_);
  std::swap(capacity_, other.capacity_);
  if (this != &other) other.clear();
  return *this;
}

Buffer::~Buffer() { release(storage_, capacity_); }

char* Buffer::make_room(size_t bytes) {
  if (room() < bytes) grow(size() + bytes, 2 * capacity_);
  return storage_ + end_;
}

char* Buffer::make_exact_room(size_t bytes) {
  if (room() < bytes) grow(size() + bytes, 0);
  return storage_ + end_;
}

void Buffer::commit(size_t bytes) {
  REQUIRE(bytes <= room());
  end_ += bytes;
}

void Buffer::append(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(make_room(bytes.size()), bytes.data(), bytes.size());
  end_ += bytes.size();
}

void Buffer::consume(size_t bytes) {
  REQUIRE(bytes <= size());
  begin_ += bytes;
  if (begin_ == end_) clear();
}

void Buffer::erase(size_t from, size_t to) {
  REQUIRE(from <= to && to <= size());
  if (from == to) return;
  std::memmove(data() + from, data() + to, size() - to);
  end_ -= to - from;
}

Buffer Buffer::take_front(size_t bytes) {
  REQUIRE(bytes <= size());
  Buffer front;
  if (bytes < size() - bytes) {
    front.append({data(), bytes});
    consume(bytes);
    return front;
  }
  Buffer rest;
  rest.append({data() + bytes, size() - bytes});
  front = std::move(*this);
  front.end_ = front.begin_ + bytes;
  *this = std::move(rest);
  return front;
}

void Buffer::clear() {
  release(storage_, capacity_);
  storage_ = nullptr;
  begin_ = end_ = capacity_ = 0;
}

size_t Buffer::bytes_held_by_thread() { return blocks.held; }
void Buffer::limit_thread(size_t bytes) { blocks.held_max = bytes; }
bool Buffer::thread_holds_too_much() { return blocks.held >= blocks.held_max; }

// So that `needed` bytes fit; where the content has to move, to `wanted` if that is more.
void Buffer::grow(size_t needed, size_t wanted) {
  const size_t content = size();
  const size_t capacity = needed <= kBlockCapacity ? kBlockCapacity : std::max(needed, wanted);
  if (needed <= capacity_ && begin_ >= content) {  // the free front pays for the move
    std::memcpy(storage_, data(), content);
  } else if (begin_ == 0 && capacity_ > kBlockCapacity && find_large(capacity) == nullptr) {
    storage_ = reallocate(storage_, capacity_, capacity);
    capacity_ = capacity;
  } else {
    const Block block = allocate(capacity);
    if (content > 0) std::memcpy(block.storage, data(), content);
    release(storage_, capacity_);
    storage_ = block.storage;
    capacity_ = block.capacity;
  }
  begin_ = 0;
  end_ = content;
}

}  // namespace fnkit
