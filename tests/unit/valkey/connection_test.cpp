// The connection against a scripted server, on the simulated network and on the kernel's.
#include <gtest/gtest.h>

#include <cerrno>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/valkey/connection.hpp"
#include "support/world.hpp"

namespace fnkit::valkey {
namespace {

using test::Collector;
using test::RingKind;
using test::World;
using namespace std::chrono_literals;

class ConnectionTest : public ::testing::TestWithParam<RingKind> {
 protected:
  void SetUp() override {
    world_ = World::make(GetParam(), 3);
    const auto [client, server] = world_->pair();
    connection_ = std::make_unique<Connection>(world_->ring(), client);
    server_ = std::make_unique<net::Stream>(world_->ring(), server);
  }
  void TearDown() override {
    world_->ring().run(end());
    connection_.reset();
    server_.reset();
  }

  // Asks for `count` pings at once while the server does `script`.
  void ask(size_t count, std::string_view script) {
    coro::TaskGroup tasks;
    tasks.spawn(request(count));
    tasks.spawn(answer(script));
    world_->ring().run(tasks.join());
  }
  coro::Task<void> request(size_t count) {
    std::vector<Command> commands(count, Command{"PING"});
    replies_ = co_await connection_->pipeline(std::move(commands));
  }
  // Sends `bytes` when a first command has come, or ends without any.
  coro::Task<void> answer(std::string_view bytes) {
    Result<size_t> received = co_await server_->receive(kNever);
    if (!received || bytes == "hang") co_return;
    if (bytes.empty()) {
      co_await server_->close();
      server_closed_ = true;
      co_return;
    }
    const std::string_view parts[] = {bytes};
    server_->start_send(parts, ring::SendMode::prompt, 1s);
    Result<void> sent = co_await server_->sent();
    EXPECT_TRUE(sent);
  }
  coro::Task<void> end() {
    co_await connection_->close();
    if (!server_closed_) co_await server_->close();
  }

  std::unique_ptr<World> world_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<net::Stream> server_;
  bool server_closed_ = false;
  Result<std::vector<Reply>> replies_ = Error{"nothing yet"};
};

TEST_P(ConnectionTest, PipelinedRepliesComeInOrder) {
  ask(3, "+PONG\r\n-ERR no\r\n$2\r\nok\r\n");
  ASSERT_TRUE(replies_) << replies_.error().message;
  ASSERT_EQ(replies_->size(), 3U);
  EXPECT_EQ((*replies_)[0].text, "PONG");
  EXPECT_TRUE((*replies_)[1].is_error("ERR"));
  EXPECT_EQ((*replies_)[2].text, "ok");
}

TEST_P(ConnectionTest, AServerThatHangsIsGivenUpAfterThreeSeconds) {
  const Instant begin = world_->ring().now();
  ask(1, "hang");
  ASSERT_FALSE(replies_);
  EXPECT_EQ(replies_.error().message, "it does not answer");
  EXPECT_GE(world_->ring().now() - begin, 3s);
  EXPECT_LT(world_->ring().now() - begin, 4s);
}

TEST_P(ConnectionTest, AnEndBetweenRepliesIsAnError) {
  ask(1, "");
  ASSERT_FALSE(replies_);
  EXPECT_EQ(replies_.error().message, "it closed the connection");
}

TEST_P(ConnectionTest, WhatIsNoReplyIsAnError) {
  ask(1, "HTTP/1.1 400 Bad Request\r\n");
  ASSERT_FALSE(replies_);
  EXPECT_NE(replies_.error().message.find("protocol"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Rings, ConnectionTest,
                         ::testing::Values(RingKind::simulated, RingKind::kernel),
                         [](const auto& kind) {
                           return kind.param == RingKind::kernel ? "Kernel" : "Simulated";
                         });

}  // namespace
}  // namespace fnkit::valkey
