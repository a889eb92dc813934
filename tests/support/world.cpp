#include "world.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include "fnkit/net/listener.hpp"

namespace fnkit::test {
namespace {

class SimulatedWorld final : public World {
 public:
  SimulatedWorld(uint64_t seed, FaultPlan plan) : ring_(seed, plan) {}

  ring::Ring& ring() override { return ring_; }
  int listen() override { return ring_.listen(address(next_port_++)); }
  net::Address address_of(int listener) override {
    return address(static_cast<uint16_t>(8000 + listener - SimulatedRing::kFirstDescriptor));
  }
  std::pair<int, int> pair() override { return ring_.connected_pair(); }
  void reset(int fd) override {
    ring_.kill(fd);
    ring_.close(fd);
  }

 private:
  static net::Address address(uint16_t port) {
    Result<net::Address> address = net::Address::parse("127.0.0.1:0");
    address->set_port(port);
    return *address;
  }

  SimulatedRing ring_;
  uint16_t next_port_ = 8000;
};

class KernelWorld final : public World {
 public:
  KernelWorld() {
    Result<std::unique_ptr<ring::Ring>, ring::RingForbidden> made = ring::make_kernel_ring();
    REQUIRE(made);
    ring_ = std::move(made).value();
  }

  ring::Ring& ring() override { return *ring_; }
  int listen() override {
    Result<net::Address> any_port = net::Address::parse("127.0.0.1:0");
    Result<int> listener = net::open_listener(*any_port, net::ListenAs::sole);
    REQUIRE(listener);
    return *listener;
  }
  net::Address address_of(int listener) override { return *net::Address::of_socket(listener); }
  std::pair<int, int> pair() override {
    const int listener = listen();
    const net::Address address = address_of(listener);
    Result<int> client = ring_->open_socket(AF_INET);
    REQUIRE(client && ::connect(*client, address.raw(), address.length()) == 0);
    const int server = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    REQUIRE(server >= 0);
    ::close(listener);
    return {*client, server};
  }
  void reset(int fd) override {
    const linger at_once{1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(fd);
  }

 private:
  std::unique_ptr<ring::Ring> ring_;
};

}  // namespace

std::unique_ptr<World> World::make(RingKind kind, uint64_t seed, FaultPlan plan) {
  if (kind == RingKind::kernel) return std::make_unique<KernelWorld>();
  return std::make_unique<SimulatedWorld>(seed, plan);
}

std::string pattern(size_t bytes, uint64_t seed) {
  Random random(seed);
  std::string made;
  made.reserve(bytes + 16);
  while (made.size() < bytes) random.append_hex16(made);
  made.resize(bytes);
  return made;
}

}  // namespace fnkit::test
