// The sockets of SimulatedRing.
#include <algorithm>
#include <array>
#include <cerrno>

#include "simulated_ring.hpp"

namespace fnkit::test {
namespace {

std::string bytes_of(const sockaddr* address, socklen_t length) {
  return {reinterpret_cast<const char*>(address), length};
}

// Copies `count` of the bytes that are left to send to `out`.
void take(ring::Operation& operation, size_t count, std::string& out) {
  size_t wanted = count;
  for (unsigned i = 0; i < operation.part_count && wanted > 0; ++i) {
    const size_t bytes = std::min(wanted, operation.parts[i].iov_len);
    out.append(static_cast<const char*>(operation.parts[i].iov_base), bytes);
    wanted -= bytes;
  }
  operation.sent += static_cast<int32_t>(count);
}

size_t bytes_left(const ring::Operation& operation) {
  size_t left = 0;
  for (unsigned i = 0; i < operation.part_count; ++i) left += operation.parts[i].iov_len;
  return left;
}

}  // namespace

SimulatedRing::Socket* SimulatedRing::find(int fd) {
  const auto found = sockets_.find(fd);
  return found == sockets_.end() ? nullptr : &found->second;
}

SimulatedRing::Socket& SimulatedRing::socket(int fd) {
  Socket* found = find(fd);
  if (found == nullptr) fail("a descriptor is used that is not (or no longer) open");
  return *found;
}

SimulatedRing::Socket& SimulatedRing::add_socket() {
  const int fd = next_fd_++;
  Socket& made = sockets_[fd];
  made.fd = fd;
  return made;
}

Result<int> SimulatedRing::open_socket(int) { return add_socket().fd; }

int SimulatedRing::listen(const net::Address& address) {
  Socket& listener = add_socket();
  listener.listening = bytes_of(address.raw(), address.length());
  return listener.fd;
}

std::pair<int, int> SimulatedRing::connected_pair() {
  const int one = add_socket().fd;
  const int other = add_socket().fd;
  socket(one).peer = other;
  socket(other).peer = one;
  return {one, other};
}

std::vector<int> SimulatedRing::connections() const {
  std::vector<int> found;
  for (const auto& [fd, socket] : sockets_) {
    if (socket.peer >= 0) found.push_back(fd);
  }
  return found;
}

// The operation has been handed over.
void SimulatedRing::begin(OperationId id) {
  const ring::Operation& operation = *live_.at(id).operation;
  const int fd = operation.fd;
  if (operation.verb == ring::Verb::poll || operation.verb == ring::Verb::read) {
    if (fd >= kFirstDescriptor) fail("poll and read are not simulated for sockets");
    on_descriptors_.push_back(id);
    return;
  }
  Socket& on = socket(fd);
  switch (operation.verb) {
    case ring::Verb::accept:
      REQUIRE(!on.listening.empty() && on.accept == 0);
      on.accept = id;
      schedule(latency(), [this, fd] { accept_now(fd); });
      break;
    case ring::Verb::receive:
    case ring::Verb::receive_into:
      REQUIRE(on.receive == 0);
      on.receive = id;
      schedule(latency(), [this, fd] { receive_now(fd); });
      break;
    case ring::Verb::connect:
      REQUIRE(on.connect == 0 && on.peer < 0);
      on.connect = id;
      schedule(latency(), [this, id] { connect_now(id); });
      break;
    default:
      REQUIRE(on.send == 0);
      on.send = id;
      send_now(fd, true);
      break;
  }
}

void SimulatedRing::connect_now(OperationId id) {
  const ring::Operation* operation = live(id);
  if (operation == nullptr) return;
  if (random_.chance(plan_.connect_lost)) return;
  const std::string wanted = bytes_of(operation->address, operation->address_length);
  const auto listener = std::find_if(sockets_.begin(), sockets_.end(), [&](const auto& entry) {
    return entry.second.listening == wanted;
  });
  if (listener == sockets_.end() || random_.chance(plan_.connect_refused)) {
    complete_later(id, -ECONNREFUSED, false);
    return;
  }
  const int listener_fd = listener->first;
  Socket& server = add_socket();
  server.peer = operation->fd;
  socket(operation->fd).peer = server.fd;
  listener->second.backlog.push_back(server.fd);
  complete_later(id, 0, false);
  schedule(latency(), [this, listener_fd] { accept_now(listener_fd); });
}

void SimulatedRing::accept_now(int fd) {
  Socket* listener = find(fd);
  if (listener == nullptr) return;
  while (listener->accept != 0 && !listener->backlog.empty()) {
    const int accepted = listener->backlog.front();
    if (!random_.chance(plan_.accept_fails)) {
      listener->backlog.pop_front();
      complete_later(listener->accept, accepted, true);
    } else if (random_.chance(50)) {
      static constexpr std::array kExhausted = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
      complete_later(listener->accept, -kExhausted[random_.below(kExhausted.size())], false);
    } else {
      listener->backlog.pop_front();
      abandon(socket(accepted));
      complete_later(listener->accept, -ECONNABORTED, false);
    }
  }
}

// `first`: on submission, where a silent send may be all done at once.
void SimulatedRing::send_now(int fd, bool first) {
  Socket* from = find(fd);
  if (from == nullptr || from->send == 0) return;
  const OperationId id = from->send;
  ring::Operation& operation = *live_.at(id).operation;
  const bool silent = first && operation.mode == ring::SendMode::silent;
  if (first && from->peer >= 0 && random_.chance(plan_.send_fails)) kill(fd);
  if (live(id) == nullptr) return;
  if (from->reset || from->fin_sent || from->peer < 0) {
    complete_later(id, from->peer < 0 ? -ENOTCONN : -EPIPE, false);
    return;
  }
  Socket* to = find(from->peer);
  const size_t left = bytes_left(operation);
  size_t fits = left;
  std::string nowhere;
  if (to != nullptr) {
    const size_t waiting = to->incoming.size() + to->unread.size();
    fits = std::min(left, plan_.socket_bytes - std::min(plan_.socket_bytes, waiting));
  }
  if (silent && random_.chance(plan_.short_sends)) fits = random_.below(fits + 1);
  take(operation, fits, to != nullptr ? to->incoming : nowhere);
  const bool all = fits == left || operation.advance(fits) == 0;
  if (to == nullptr) {
    reset_later(fd);  // data for a closed socket is answered with a reset
  } else if (fits > 0) {
    deliver_later(*to);
  }
  if (all && silent) {
    live_[id].ended = true;
    from->send = 0;
    silent_.push_back(id);
  } else if (all) {
    complete_later(id, operation.sent, false);
  } else {
    if (fits > 0) completions_.push_back({id, 0, true, true});
    if (silent) schedule(latency(), [this, fd] { send_now(fd, false); });
  }
}

void SimulatedRing::deliver_later(Socket& to) {
  if (to.delivering || to.frozen || (to.incoming.empty() && !to.fin_coming)) return;
  to.delivering = true;
  schedule(latency(), [this, fd = to.fd] { deliver(fd); });
}

size_t SimulatedRing::piece(size_t available) {
  const size_t most = random_.chance(plan_.tiny_pieces) ? 8 : plan_.piece_max;
  return std::min(available, static_cast<size_t>(random_.below(most)) + 1);
}

void SimulatedRing::deliver(int fd) {
  Socket* to = find(fd);
  if (to == nullptr) return;
  to->delivering = false;
  if (to->frozen || to->reset) return;
  if (!to->incoming.empty() && random_.chance(plan_.reset)) {
    kill(fd);
    return;
  }
  if (to->incoming.empty()) {
    to->fin_arrived = std::exchange(to->fin_coming, false) || to->fin_arrived;
  } else {
    const size_t bytes = piece(to->incoming.size());
    to->unread.append(to->incoming, 0, bytes);
    to->incoming.erase(0, bytes);
  }
  deliver_later(*to);
  receive_now(fd);
}

void SimulatedRing::receive_now(int fd) {
  Socket* to = find(fd);
  if (to == nullptr || to->receive == 0) return;
  if (!to->unread.empty()) {
    const int sender = to->peer;
    schedule(latency(), [this, sender] { send_now(sender, false); });  // there is room again
  }
  while (!to->unread.empty() && to->receive != 0) {
    ring::Operation& operation = *live_.at(to->receive).operation;
    if (operation.verb == ring::Verb::receive_into) {
      const size_t taken =
          to->unread.copy(static_cast<char*>(operation.parts[0].iov_base),
                          piece(std::min(to->unread.size(), operation.parts[0].iov_len)));
      to->unread.erase(0, taken);
      ++received_in_place_;
      complete_later(to->receive, static_cast<int32_t>(taken), false);
      return;
    }
    const size_t bytes = piece(to->unread.size());
    complete_later(to->receive, static_cast<int32_t>(bytes), true, to->unread.substr(0, bytes));
    to->unread.erase(0, bytes);
  }
  if (to->reset) {
    complete_later(to->receive, -ECONNRESET, false);
  } else if (to->fin_arrived) {
    complete_later(to->receive, 0, false);
  } else if (to->peer < 0) {
    complete_later(to->receive, -ENOTCONN, false);
  }
}

void SimulatedRing::reset_now(int fd) {
  Socket* hit = find(fd);
  if (hit == nullptr || hit->reset) return;
  hit->reset = true;
  hit->incoming.clear();
  hit->fin_coming = false;
  if (hit->send != 0) complete_later(hit->send, -ECONNRESET, false);
  receive_now(fd);
}

void SimulatedRing::reset_later(int fd) {
  schedule(latency(), [this, fd] {
    const Socket* hit = find(fd);
    if (hit != nullptr && !hit->frozen) reset_now(fd);
  });
}

void SimulatedRing::kill(int fd) {
  const int peer = socket(fd).peer;
  reset_now(fd);
  reset_now(peer);
}

void SimulatedRing::freeze(int fd) {
  socket(fd).frozen = true;
  if (Socket* peer = find(socket(fd).peer)) peer->frozen = true;
}

void SimulatedRing::thaw(int fd) {
  socket(fd).frozen = false;
  deliver_later(socket(fd));
  if (Socket* peer = find(socket(fd).peer)) {
    peer->frozen = false;
    deliver_later(*peer);
  }
}

// Whatever arrives here is told in the same turn, but for what comes while no receive is armed.
ring::Unread SimulatedRing::unread(int fd) {
  const Socket& at = socket(fd);
  if (!at.unread.empty()) return ring::Unread::bytes;
  return at.fin_arrived || at.reset ? ring::Unread::end : ring::Unread::nothing;
}

void SimulatedRing::shut_down_sending(int fd) {
  Socket& from = socket(fd);
  if (from.fin_sent || from.reset) return;
  from.fin_sent = true;
  if (Socket* to = find(from.peer)) {
    to->fin_coming = true;
    deliver_later(*to);
  }
}

// What a closed socket leaves to its peer: its FIN after its data or, where it had not read all
// that was sent to it, a reset that overtakes its data.
void SimulatedRing::abandon(Socket& closing) {
  if (Socket* peer = find(closing.peer); peer != nullptr && !closing.reset) {
    if (closing.unread.empty() && closing.incoming.empty()) {
      if (!closing.fin_sent) peer->fin_coming = true;
      deliver_later(*peer);
    } else {
      reset_later(peer->fd);
    }
  }
  sockets_.erase(closing.fd);
}

void SimulatedRing::close(int fd) {
  Socket& closing = socket(fd);
  for (const auto& [id, live] : live_) {
    if (live.operation->fd == fd) fail("a descriptor is closed under an operation");
  }
  for (const int waiting : closing.backlog) abandon(socket(waiting));
  abandon(closing);
}

}  // namespace fnkit::test
