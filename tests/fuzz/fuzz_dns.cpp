// A DNS server that says anything at all: the input is its answer behind the id and the flags. What
// is said next is that there is no such name, so that a look-up ends.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/net/resolver.hpp"
#include "fuzz/fuzz.hpp"

namespace fnkit::fuzz {
namespace {

constexpr size_t kHeaderBytes = 12;

class Server {
 public:
  Server() : fd_(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(bind(fd_, reinterpret_cast<sockaddr*>(&any), sizeof any) == 0, "bind");
    length_ = sizeof address_;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address_), &length_);
  }

  net::Address address() const {
    return net::Address(reinterpret_cast<const sockaddr*>(&address_), length_);
  }

  void answer(std::string_view said) {
    std::array<char, 512> query{};
    sockaddr_in from{};
    socklen_t length = sizeof from;
    while (true) {
      const ssize_t got =
          recvfrom(fd_, query.data(), query.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (got < static_cast<ssize_t>(kHeaderBytes)) return;
      std::string reply(query.data(), 2);
      reply += "\x81\x80";
      reply += said;
      send(reply, from);
      // With the same question, and NXDOMAIN.
      std::string none(query.data(), static_cast<size_t>(got));
      none[2] = static_cast<char>(0x81);
      none[3] = static_cast<char>(0x83);
      send(none, from);
    }
  }

 private:
  void send(const std::string& bytes, const sockaddr_in& to) {
    sendto(fd_, bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }

  int fd_;
  sockaddr_in address_{};
  socklen_t length_ = 0;
};

struct World {
  World() : ring(ring::make_kernel_ring().value()) {}

  void look_up(std::string_view said) {
    net::Resolver resolver(*ring, {.servers = {server.address()}});
    coro::CancelScope scope;
    coro::TaskGroup tasks;
    tasks.spawn(resolve(resolver, scope));
    while (!done) {
      server.answer(said);
      ring->turn();
    }
    ring->run(resolver.close());
    while (tasks.running() > 0) ring->turn();
  }

  coro::Task<void> resolve(net::Resolver& resolver, coro::CancelScope& scope) {
    done = false;
    const Instant deadline = later(ring->now(), std::chrono::seconds(5));
    Result<net::Resolved> found = co_await resolver.resolve("name.test", 80, deadline, scope);
    if (found) {
      require(!found->addresses.empty(), "found, and nothing there");
      require(found->addresses.size() <= net::Resolver::kAddressesMax, "more than may be kept");
      for (const net::Address& address : found->addresses) require(address.port() == 80, "port");
    }
    done = true;
  }

  std::unique_ptr<ring::Ring> ring;
  Server server;
  bool done = false;
};

}  // namespace
}  // namespace fnkit::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static fnkit::fuzz::World world;
  if (size <= 480) world.look_up(fnkit::fuzz::text_of(data, size));
  return 0;
}
