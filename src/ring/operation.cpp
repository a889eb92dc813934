#include "fnkit/ring/operation.hpp"

#include <algorithm>

#include "fnkit/ring/ring.hpp"

namespace fnkit::ring {

void Operation::prepare(Verb what, int descriptor) {
  REQUIRE(!submitted);
  verb = what;
  fd = descriptor;
  result = 0;
  more = false;
  cancelled = false;
  timed_out = false;
  stall = Duration::max();
}

void Operation::accept(int listener) { prepare(Verb::accept, listener); }

void Operation::receive(int socket) { prepare(Verb::receive, socket); }

void Operation::receive_into(int socket, std::span<char> into) {
  prepare(Verb::receive_into, socket);
  parts[0] = {into.data(), into.size()};
}

void Operation::send(int socket, std::span<const std::string_view> pieces, SendMode send_mode,
                     Duration stall_max) {
  prepare(Verb::send, socket);
  mode = send_mode;
  stall = stall_max;
  sent = 0;
  part_count = 0;
  for (const std::string_view piece : pieces) {
    if (piece.empty()) continue;
    REQUIRE(part_count < kPartsMax);
    parts[part_count++] = {const_cast<char*>(piece.data()), piece.size()};  // iovec is not const
  }
  REQUIRE(part_count > 0);
}

void Operation::connect(int socket, const sockaddr* to, socklen_t length) {
  prepare(Verb::connect, socket);
  address = to;
  address_length = length;
}

void Operation::poll(int descriptor, uint32_t wanted) {
  prepare(Verb::poll, descriptor);
  events = wanted;
}

void Operation::read(int descriptor, std::span<char> into) {
  prepare(Verb::read, descriptor);
  parts[0] = {into.data(), into.size()};
}

size_t Operation::advance(size_t bytes) {
  unsigned done = 0;
  while (done < part_count && bytes >= parts[done].iov_len) bytes -= parts[done++].iov_len;
  std::copy(parts.begin() + done, parts.begin() + part_count, parts.begin());
  part_count -= done;
  if (part_count == 0) return 0;
  parts[0].iov_base = static_cast<char*>(parts[0].iov_base) + bytes;
  parts[0].iov_len -= bytes;
  size_t left = 0;
  for (unsigned i = 0; i < part_count; ++i) left += parts[i].iov_len;
  return left;
}

void Operation::resume_waiter(Operation& operation) {
  if (operation.waiter.handle && !operation.waiter.linked()) {
    coro::ReadyQueue::of_thread().post(operation.waiter);
  }
}

void Operation::time_out(void* context) {
  auto& operation = *static_cast<Operation*>(context);
  operation.timed_out = true;
  operation.ring->cancel(operation);
}

}  // namespace fnkit::ring
