#include "fnkit/net/connect.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "fnkit/coro/task_group.hpp"
#include "support/world.hpp"

namespace fnkit {
namespace {

using coro::CancelScope;
using coro::Task;
using net::Address;
using test::FaultPlan;
using test::SimulatedRing;

struct Outcome {
  int socket = -1;
  int error = 0;
  std::string message;
  bool done = false;
};

Task<void> connect(ring::Ring& ring, Address address, Instant deadline, CancelScope& scope,
                   Outcome& outcome) {
  Result<int> socket = co_await net::connect(ring, address, deadline, scope);
  outcome.done = true;
  if (socket) {
    outcome.socket = *socket;
  } else {
    outcome.error = socket.error().code;
    outcome.message = socket.error().message;
  }
}

const Address kServer = *Address::parse("10.1.2.3:80");

TEST(ConnectTest, TheSocketIsTheCallersAndARefusalNamesTheAddress) {
  SimulatedRing ring(1);
  const int listener = ring.listen(kServer);
  CancelScope scope;
  Outcome outcome;
  ring.run(connect(ring, kServer, kNever, scope, outcome));
  EXPECT_EQ(outcome.error, 0);
  ring.close(outcome.socket);
  ring.close(listener);
  Outcome refused;
  ring.run(connect(ring, kServer, kNever, scope, refused));
  EXPECT_EQ(refused.error, ECONNREFUSED);
  EXPECT_NE(refused.message.find("10.1.2.3:80"), std::string::npos) << refused.message;
  EXPECT_EQ(ring.open_sockets(), 0U);
}

TEST(ConnectTest, AnAnswerThatNeverComesEndsAtTheDeadline) {
  FaultPlan plan;
  plan.connect_lost = 100;
  SimulatedRing ring(2, plan);
  CancelScope scope;
  Outcome outcome;
  const Instant deadline = later(ring.now(), std::chrono::seconds(3));
  ring.run(connect(ring, kServer, deadline, scope, outcome));
  EXPECT_EQ(outcome.error, ETIMEDOUT);
  EXPECT_GE(ring.now(), deadline);
  EXPECT_EQ(ring.open_sockets(), 0U);
}

TEST(ConnectTest, ACancelledScopeEndsItWheneverThatHappens) {
  FaultPlan plan;
  plan.connect_lost = 100;
  SimulatedRing ring(3, plan);
  CancelScope before;
  before.cancel();
  Outcome outcome;
  ring.run(connect(ring, kServer, kNever, before, outcome));
  EXPECT_EQ(outcome.error, ECANCELED);

  CancelScope outer;
  CancelScope inner(outer);
  Outcome while_waiting;
  coro::TaskGroup group;
  group.spawn(connect(ring, kServer, kNever, inner, while_waiting));
  EXPECT_FALSE(while_waiting.done);
  outer.cancel();
  while (!while_waiting.done) ring.turn();
  EXPECT_EQ(while_waiting.error, ECANCELED);
  EXPECT_EQ(ring.open_sockets(), 0U);
}

// Whatever wins, the answer, the deadline or the cancel: a socket is the caller's or closed.
TEST(ConnectTest, RacesLeakNothing) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SimulatedRing ring(seed);
    const int listener = ring.listen(kServer);
    CancelScope scope;
    Outcome outcome;
    const auto up_to_3_ms = [&] {
      return Duration(static_cast<int64_t>(ring.random().below(3'000'000)));
    };
    ring::Timer cancels([](void* context) { static_cast<CancelScope*>(context)->cancel(); },
                        &scope);
    ring.timers().arm(cancels, later(ring.now(), up_to_3_ms()));
    ring.run(connect(ring, kServer, later(ring.now(), up_to_3_ms()), scope, outcome));
    if (outcome.error == 0) ring.close(outcome.socket);
    ring.close(listener);
    EXPECT_EQ(ring.open_sockets(), 0U) << "seed " << seed;
    EXPECT_EQ(coro::frames_alive(), 0U) << "seed " << seed;
  }
}

}  // namespace
}  // namespace fnkit
