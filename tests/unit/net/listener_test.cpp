#include "fnkit/net/listener.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/net/connect.hpp"
#include "support/world.hpp"

namespace fnkit {
namespace {

using coro::Task;
using net::Address;
using net::ListenAs;
using net::Listener;
using net::open_listener;
using test::FaultPlan;
using test::RingKind;
using test::World;

struct Accepted {
  std::vector<int> sockets;
  int error = 0;
  bool done = false;
};

Task<void> accept_all(Listener& listener, Accepted& accepted) {
  while (accepted.error == 0) {
    Result<int> socket = co_await listener.accept();
    if (socket) {
      accepted.sockets.push_back(*socket);
    } else {
      accepted.error = socket.error().code;
    }
  }
  accepted.done = true;
}

Task<void> connect_one(ring::Ring& ring, Address address, std::vector<int>& sockets) {
  coro::CancelScope scope;
  Result<int> socket = co_await net::connect(ring, address, kNever, scope);
  EXPECT_TRUE(socket);
  if (socket) sockets.push_back(*socket);
}

class ListenerTest : public testing::TestWithParam<RingKind> {};

TEST_P(ListenerTest, AcceptsEachConnectionAndEndsWhenStopped) {
  const std::unique_ptr<World> world = World::make(GetParam());
  ring::Ring& ring = world->ring();
  const int fd = world->listen();
  const Address address = world->address_of(fd);
  Listener listener(ring, fd);
  Accepted accepted;
  std::vector<int> clients;
  coro::TaskGroup group;
  group.spawn(accept_all(listener, accepted));
  for (int i = 0; i < 20; ++i) group.spawn(connect_one(ring, address, clients));
  ASSERT_TRUE(
      world->turn_while([&] { return accepted.sockets.size() < 20 || clients.size() < 20; }));
  listener.stop();
  listener.stop();
  ASSERT_TRUE(world->turn_while([&] { return !accepted.done; }));
  EXPECT_EQ(accepted.error, ECANCELED);
  ring.run(listener.close());
  for (const int socket : clients) ring.close(socket);
  for (const int socket : accepted.sockets) ring.close(socket);
  EXPECT_EQ(ring.in_flight(), 0U);
}

// They were accepted by the kernel already; nobody took them.
TEST_P(ListenerTest, ClosingClosesWhatNobodyTook) {
  const std::unique_ptr<World> world = World::make(GetParam());
  ring::Ring& ring = world->ring();
  const int fd = world->listen();
  const Address address = world->address_of(fd);
  Listener listener(ring, fd);
  std::vector<int> clients;
  coro::TaskGroup group;
  for (int i = 0; i < 3; ++i) group.spawn(connect_one(ring, address, clients));
  ASSERT_TRUE(world->turn_while([&] { return clients.size() < 3; }));
  ring.run(listener.close());
  for (const int socket : clients) ring.close(socket);
  EXPECT_EQ(ring.in_flight(), 0U);
  Result<int> after = Listener::AcceptAwaiter{listener}.await_resume();
  EXPECT_EQ(after.error().code, ECANCELED);
}

INSTANTIATE_TEST_SUITE_P(, ListenerTest, testing::Values(RingKind::simulated, RingKind::kernel),
                         test::kRingName);

// EMFILE, ENFILE, ENOBUFS and ENOMEM pause and ECONNABORTED does not; none of them loses a
// connection that still waits.
TEST(ListenerFaultTest, GoesOnAfterErrors) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    FaultPlan plan;
    plan.accept_fails = 50;
    test::SimulatedRing ring(seed, plan);
    const Address address = *Address::parse("10.0.0.1:80");
    Listener listener(ring, ring.listen(address));
    Accepted accepted;
    std::vector<int> clients;
    coro::TaskGroup group;
    group.spawn(accept_all(listener, accepted));
    for (int i = 0; i < 10; ++i) group.spawn(connect_one(ring, address, clients));
    const Instant until = later(ring.now(), std::chrono::seconds(5));
    while (group.running() > 1 || (ring.now() < until && accepted.sockets.size() < 10)) {
      ring::Timer tick([](void*) {}, nullptr);
      ring.timers().arm(tick, later(ring.now(), std::chrono::milliseconds(10)));
      ring.turn();
    }
    EXPECT_GT(accepted.sockets.size(), 1U) << "seed " << seed;
    listener.stop();
    while (!accepted.done) ring.turn();
    ring.run(listener.close());
    for (const int socket : clients) ring.close(socket);
    for (const int socket : accepted.sockets) ring.close(socket);
  }
}

// Closing a listener resets what waits in its queue, so stopping takes it out first.
TEST(ListenerEndTest, StoppingTakesWhatHasConnectedByThen) {
  const std::unique_ptr<World> world = World::make(RingKind::kernel);
  ring::Ring& ring = world->ring();
  const int fd = world->listen();
  const Address address = world->address_of(fd);
  Listener listener(ring, fd);
  Accepted accepted;
  coro::TaskGroup group;
  group.spawn(accept_all(listener, accepted));
  ring::Timer soon([](void*) {}, nullptr);
  ring.timers().arm(soon, ring.now());
  ring.turn();  // the kernel waits for connections now
  listener.stop();
  std::vector<int> clients;
  for (int i = 0; i < 20; ++i) {
    Result<int> client = ring.open_socket(address.family());
    ASSERT_TRUE(client);
    ASSERT_EQ(::connect(*client, address.raw(), address.length()), 0);
    clients.push_back(*client);
  }
  ASSERT_TRUE(world->turn_while([&] { return !accepted.done; }));
  EXPECT_EQ(accepted.sockets.size(), clients.size()) << "a caller's connection was thrown away";
  ring.run(listener.close());
  for (const int socket : clients) ring.close(socket);
  for (const int socket : accepted.sockets) ring.close(socket);
}

// How many of `count` new connections to `address` wait on each of the sockets that listen there.
std::vector<int> spread(const Address& address, int count, const std::vector<int>& listeners) {
  std::vector<int> clients;
  for (int i = 0; i < count; ++i) {
    clients.push_back(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(clients.back(), address.raw(), address.length()), 0);
  }
  std::vector<int> found;
  for (const int listener : listeners) {
    ::fcntl(listener, F_SETFL, O_NONBLOCK);
    found.push_back(0);
    for (int fd = 0; (fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)) >= 0; ::close(fd)) {
      ++found.back();
    }
  }
  for (const int client : clients) ::close(client);
  return found;
}

TEST(ListenerHandOverTest, NewConnectionsGoToTheSocketsThatCameLater) {
  constexpr int kMany = 64;
  const Result<int> first = open_listener(*Address::parse("127.0.0.1:0"), ListenAs::sole);
  ASSERT_TRUE(first);
  const Address address = *Address::of_socket(*first);
  const Result<int> second = open_listener(address, ListenAs::further);
  ASSERT_TRUE(second);
  for (const int found : spread(address, kMany, {*first, *second})) EXPECT_GT(found, 0);
  net::hand_over(*first, 1);
  EXPECT_EQ(spread(address, kMany, {*first, *second}), (std::vector<int>{0, kMany}));
  ::close(*first);
  EXPECT_EQ(spread(address, kMany, {*second}), std::vector<int>{kMany});
  net::end_hand_over(*second);
  const Result<int> third = open_listener(address, ListenAs::further);
  ASSERT_TRUE(third);
  for (const int found : spread(address, kMany, {*second, *third})) EXPECT_GT(found, 0);
  ::close(*second);
  ::close(*third);
}

// With the process's real limit: accept fails with EMFILE until a descriptor is free again.
TEST(ListenerFaultTest, WithoutDescriptorsItPausesInsteadOfSpinning) {
  const std::unique_ptr<World> world = World::make(RingKind::kernel);
  ring::Ring& ring = world->ring();
  const int fd = world->listen();
  const Address address = world->address_of(fd);
  Listener listener(ring, fd);
  Accepted accepted;
  std::vector<int> clients;
  coro::TaskGroup group;
  group.spawn(accept_all(listener, accepted));
  ring.timers();
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  group.spawn(connect_one(ring, address, clients));  // its socket is open, nothing is accepted yet
  const int next = ::dup(0);
  ::close(next);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const Instant start = ring.now();
  int turns = 0;
  while (ring.now() - start < Listener::kPause * 3 && turns < 10'000) {
    ring::Timer tick([](void*) {}, nullptr);
    ring.timers().arm(tick, later(ring.now(), Listener::kPause));
    ring.turn();
    ++turns;
  }
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(accepted.sockets.empty());
  EXPECT_LT(turns, 50) << "it spins";
  ASSERT_TRUE(world->turn_while([&] { return accepted.sockets.empty() || clients.empty(); }));
  listener.stop();
  ASSERT_TRUE(world->turn_while([&] { return !accepted.done; }));
  ring.run(listener.close());
  ring.close(clients.at(0));
  ring.close(accepted.sockets.at(0));
}

TEST(OpenListenerTest, ABusyPortIsNamed) {
  Result<int> first = open_listener(*Address::parse("127.0.0.1:0"), ListenAs::sole);
  ASSERT_TRUE(first);
  const Address taken = *Address::of_socket(*first);
  Result<int> second = open_listener(taken, ListenAs::sole);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_NE(second.error().message.find(taken.to_text()), std::string::npos)
      << second.error().message;
  Result<int> further = open_listener(taken, ListenAs::further);
  EXPECT_TRUE(further) << "another core could not share the port";
  ::close(*further);
  ::close(*first);
  Result<int> again = open_listener(taken, ListenAs::sole);
  EXPECT_TRUE(again) << "the port stays busy after its listener";
  ::close(*again);
}

class UnixListenerTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "fnkit-listener-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/socket"; }
  Address address() const { return *Address::parse("unix:" + path()); }

  std::string folder_;
};

TEST_F(UnixListenerTest, AStaleSocketIsReplacedAndALivingOneIsNot) {
  Result<int> first = open_listener(address(), ListenAs::sole);
  ASSERT_TRUE(first);
  Result<int> second = open_listener(address(), ListenAs::sole);
  ASSERT_FALSE(second) << "a living server was pushed aside";
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_NE(second.error().message.find(path()), std::string::npos);
  ::close(*first);
  ASSERT_TRUE(std::filesystem::exists(path()));
  Result<int> third = open_listener(address(), ListenAs::sole);
  ASSERT_TRUE(third) << third.error().message;
  ::close(*third);
}

TEST_F(UnixListenerTest, AFileThatIsNoSocketIsLeftAlone) {
  std::ofstream(path()) << "somebody's data";
  Result<int> listener = open_listener(address(), ListenAs::sole);
  ASSERT_FALSE(listener);
  EXPECT_EQ(listener.error().code, EADDRINUSE);
  EXPECT_EQ(std::filesystem::file_size(path()), 15U) << "the file was removed";
}

}  // namespace
}  // namespace fnkit
