// A growable run of bytes with a cheap front: what a connection reads into and a message owns.
#pragma once

#include <cstddef>
#include <string_view>

namespace fnkit {

// Movable, not copyable. Views into it end with append, make_room, erase, take_front and
// destruction. Belongs to the thread that made it.
// A thread keeps some of the memory of buffers that are gone for the next ones: at most 8 MiB, and
// where its buffers hold more than 4 MiB, 20.
// At least kPadding bytes behind the content are always allocated (simdjson reads that far).
class Buffer {
 public:
  static constexpr size_t kPadding = 64;

  Buffer() = default;
  Buffer(Buffer&& other) noexcept;
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer();

  size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  char* data() { return storage_ + begin_; }
  const char* data() const { return storage_ + begin_; }
  std::string_view view() const { return {data(), size()}; }

  // Space behind the content.
  size_t room() const { return capacity_ - end_; }
  // Space for at least `bytes` more, to be filled and then told with commit().
  char* make_room(size_t bytes);
  // As make_room(), where it is known that no more will be needed: without room for growth.
  char* make_exact_room(size_t bytes);
  // The first `bytes` of what make_room() returned are content now.
  void commit(size_t bytes);
  void append(std::string_view bytes);

  // Drops `bytes` from the front; storage is given back when nothing is left.
  void consume(size_t bytes);
  // Removes [from, to), offsets into view(); what follows moves down.
  void erase(size_t from, size_t to);
  // Cuts off the first `bytes` as a buffer of their own. Copies the smaller of the two parts.
  Buffer take_front(size_t bytes);
  void clear();

  // Bytes that the buffers of this thread hold allocated now.
  static size_t bytes_held_by_thread();
  // More than that is too much: whoever lets a buffer grow as others send looks before it goes on.
  // Without a limit nothing is.
  static void limit_thread(size_t bytes);
  static bool thread_holds_too_much();

 private:
  void grow(size_t needed, size_t wanted);

  char* storage_ = nullptr;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t capacity_ = 0;  // without kPadding
};

}  // namespace fnkit
