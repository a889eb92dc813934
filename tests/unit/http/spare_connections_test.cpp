// Connections between two calls: who is given which, and what ends them.
#include <gtest/gtest.h>

#include "fnkit/http/spare_connections.hpp"
#include "support/simulated_ring.hpp"
#include "wire/server_world.hpp"

namespace fnkit {
namespace {

using test::Caller;

constexpr size_t kEachMax = 3;

class SpareConnectionsTest : public testing::Test {
 protected:
  ~SpareConnectionsTest() override {
    tasks_.spawn(spares_.close());
    for (auto& function : functions_) tasks_.spawn(function->close());
    ring_.run_for(std::chrono::seconds(1));
    EXPECT_EQ(tasks_.running(), 0U) << "something still waits";
  }

  void settle() { ring_.run_for(std::chrono::milliseconds(100)); }

  // A new connection is spare now; its function's side is functions_.back().
  net::Stream* keep(const std::string& endpoint, Duration idle_time = std::chrono::seconds(10)) {
    const auto [ours, theirs] = ring_.connected_pair();
    functions_.push_back(std::make_unique<Caller>(ring_, theirs));
    functions_.back()->start_reading();
    auto stream = std::make_unique<net::Stream>(ring_, ours);
    net::Stream* made = stream.get();
    spares_.keep(endpoint, std::move(stream), idle_time);
    return made;
  }
  // As take(); what is taken is closed at once.
  net::Stream* take(const std::string& endpoint) {
    std::unique_ptr<net::Stream> taken = spares_.take(endpoint);
    net::Stream* stream = taken.get();
    if (taken != nullptr) spares_.discard(std::move(taken));
    return stream;
  }

  test::SimulatedRing ring_{1};
  http::SpareConnections spares_{ring_, kEachMax};
  std::vector<std::unique_ptr<Caller>> functions_;
  coro::TaskGroup tasks_;
};

TEST_F(SpareConnectionsTest, TheOneUsedLastComesFirst) {
  EXPECT_EQ(take("a:1"), nullptr);
  net::Stream* first = keep("a:1");
  net::Stream* second = keep("a:1");
  net::Stream* other = keep("b:1");
  EXPECT_EQ(take("a:1"), second);
  EXPECT_EQ(take("a:1"), first);
  EXPECT_EQ(take("a:1"), nullptr) << "it was given to two";
  EXPECT_EQ(take("b:1"), other);
}

TEST_F(SpareConnectionsTest, OneIsClosedWhenItsTimeIsOver) {
  keep("a:1", std::chrono::seconds(2));
  ring_.run_for(std::chrono::seconds(1));
  EXPECT_FALSE(functions_[0]->ended());
  ring_.run_for(std::chrono::seconds(2));
  EXPECT_TRUE(functions_[0]->ended());
  EXPECT_EQ(take("a:1"), nullptr);
}

TEST_F(SpareConnectionsTest, OneWithoutTimeIsClosedAtOnce) {
  keep("a:1", Duration::zero());
  settle();
  EXPECT_TRUE(functions_[0]->ended());
}

TEST_F(SpareConnectionsTest, OneThatSaysSomethingIsClosed) {
  keep("a:1");
  functions_[0]->say("HTTP/1.1 200 OK\r\n");
  settle();
  EXPECT_TRUE(functions_[0]->ended());
  EXPECT_EQ(take("a:1"), nullptr);
}

TEST_F(SpareConnectionsTest, OneThatEndsIsForgotten) {
  net::Stream* first = keep("a:1");
  keep("a:1");
  functions_[1]->say_no_more();
  settle();
  EXPECT_EQ(take("a:1"), first);
}

TEST_F(SpareConnectionsTest, NoMoreThanAllowedAreKept) {
  for (size_t i = 0; i <= kEachMax; ++i) keep("a:1");
  keep("b:1");
  settle();
  size_t open = 0;
  for (auto& function : functions_) open += !function->ended();
  EXPECT_EQ(open, kEachMax + 1);
  EXPECT_TRUE(functions_[kEachMax]->ended()) << "another one was closed";
}

}  // namespace
}  // namespace fnkit
