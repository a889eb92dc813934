// A connection to a function over the kernel's ring: what the simulated one cannot show, because
// everything that arrives there is told in the same turn.
#include <gtest/gtest.h>
#include <unistd.h>

#include "fnkit/coro/task_group.hpp"
#include "http/client_connection.hpp"
#include "support/world.hpp"

namespace fnkit {
namespace {

using test::RingKind;
using test::World;

class ClientKernelTest : public testing::Test, public http::ClientConnection::Owner {
 protected:
  using Ending = http::ClientConnection::Ending;

  ClientKernelTest() {
    const auto [near, far] = world_->pair();
    far_ = far;
    connection_ = std::make_unique<http::ClientConnection>(ring_, near, options_, *this, busy_);
    turn_once();  // the receive is armed
  }
  ~ClientKernelTest() override {
    coro::TaskGroup closing;
    closing.spawn(connection_->close());
    while (closing.running() > 0) ring_.turn();
    if (far_ >= 0) ring_.close(far_);
  }

  void answered(http::ClientConnection&, Duration) override {}
  void has_room(http::ClientConnection&) override {}
  void again(http::ClientConnection&, http::PendingCall&) override { ++again_; }
  void ended(http::ClientConnection&, Ending how) override { ended_ = how; }

  void turn_once() {
    int fired = 0;
    ring::Timer timer([](void* count) { ++*static_cast<int*>(count); }, &fired);
    ring_.timers().arm(timer, ring_.now());
    ASSERT_TRUE(world_->turn_while([&] { return fired == 0; }));
  }
  // A call made behind the loop's last look, while `before` happens to the function's side.
  template <class Happens>
  void call_behind(Happens before) {
    before();
    http::PendingCall call(nullptr, request_, kNever, [](void*) {});
    connection_->add(call);
    ASSERT_TRUE(world_->turn_while([&] { return !ended_; }));
    EXPECT_FALSE(call.outcome) << "it was given what was not its answer";
    EXPECT_EQ(again_, 1);
  }

  std::unique_ptr<World> world_ = World::make(RingKind::kernel);
  ring::Ring& ring_ = world_->ring();
  http::ClientOptions options_;
  Counter busy_;
  http::OutgoingRequest request_{"POST / HTTP/1.1\r\nhost: f\r\ncontent-length: 0\r\n\r\n", {}};
  std::unique_ptr<http::ClientConnection> connection_;
  int far_ = -1;
  int again_ = 0;
  std::optional<Ending> ended_;
};

// CONTRACT section 3: bytes before a request are never given to it.
TEST_F(ClientKernelTest, WhatTheFunctionSaidBeforeTheRequestIsNotItsAnswer) {
  constexpr std::string_view kUnasked = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nunasked";
  call_behind([&] {
    const auto said = ::write(far_, kUnasked.data(), kUnasked.size());
    ASSERT_EQ(said, static_cast<ssize_t>(kUnasked.size()));
  });
  EXPECT_EQ(ended_, Ending::in_use);
}

// HTTP.md 6.2: its end was there before anything was sent, so the call may go out again.
TEST_F(ClientKernelTest, AnEndThatIsThereAlreadyIsSeenBeforeSending) {
  call_behind([&] { ring_.close(std::exchange(far_, -1)); });
  EXPECT_EQ(ended_, Ending::idle);
}

TEST_F(ClientKernelTest, AResetThatIsThereAlreadyIsSeenBeforeSending) {
  call_behind([&] { world_->reset(std::exchange(far_, -1)); });
  EXPECT_EQ(ended_, Ending::idle);
}

}  // namespace
}  // namespace fnkit
