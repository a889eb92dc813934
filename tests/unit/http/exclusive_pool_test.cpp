// Connections between two calls: who is given which, and what ends them.
#include <gtest/gtest.h>

#include "fnkit/http/exclusive_pool.hpp"
#include "support/simulated_ring.hpp"
#include "wire/server_world.hpp"

namespace fnkit {
namespace {

using http::ExclusivePool;
using test::Caller;

constexpr size_t kKeptMax = 3;

net::Address address_of(const std::string& text) { return *net::Address::parse(text); }

class ExclusivePoolTest : public testing::Test {
 protected:
  ~ExclusivePoolTest() override {
    tasks_.spawn(end());
    for (auto& function : functions_) tasks_.spawn(function->close());
    ring_.run_for(std::chrono::seconds(1));
    EXPECT_EQ(tasks_.running(), 0U) << "something still waits";
  }
  coro::Task<void> end() {
    co_await pool_.close();
    co_await resolver_.close();
  }

  void settle() { ring_.run_for(std::chrono::milliseconds(100)); }

  // A connection to `address` is kept now; its function's side is functions_.back().
  net::Stream* keep(const std::string& address, Duration idle_time = std::chrono::seconds(10)) {
    const auto [ours, theirs] = ring_.connected_pair();
    functions_.push_back(std::make_unique<Caller>(ring_, theirs));
    functions_.back()->start_reading();
    auto stream = std::make_unique<net::Stream>(ring_, ours);
    net::Stream* made = stream.get();
    pool_.give_back({std::move(stream), address_of(address)}, idle_time);
    return made;
  }

  // Which connection is opened; nullptr where none is kept, as nobody listens anywhere.
  net::Stream* open(const std::string& address, ExclusivePool::Which which) {
    opened_ = nullptr;
    tasks_.spawn(open_one(address_of(address), which));
    settle();
    return opened_;
  }
  net::Stream* open(const std::string& address) {
    return open(address, ExclusivePool::Which::kept_or_new);
  }
  coro::Task<void> open_one(net::Address address, ExclusivePool::Which which) {
    const http::Endpoint endpoint{{}, 0, address};
    const Instant deadline = later(ring_.now(), std::chrono::seconds(1));
    Result<ExclusivePool::Connection, http::CallError> connection =
        co_await pool_.open(endpoint, which, deadline, scope_);
    if (!connection) {
      why_ = connection.error().detail;
      co_return;
    }
    EXPECT_TRUE(connection->kept);
    opened_ = connection->stream.get();
    pool_.give_back(std::move(*connection), Duration::zero());
  }

  test::SimulatedRing ring_{1};
  Random random_{1};
  net::Resolver resolver_{ring_, net::ResolverOptions()};
  ExclusivePool pool_{ring_, resolver_, random_, kKeptMax};
  coro::CancelScope scope_;
  net::Stream* opened_ = nullptr;
  std::string why_;
  std::vector<std::unique_ptr<Caller>> functions_;
  coro::TaskGroup tasks_;
};

TEST_F(ExclusivePoolTest, TheOneUsedLastComesFirst) {
  EXPECT_EQ(open("10.0.0.1:1"), nullptr);
  EXPECT_NE(why_, "");
  net::Stream* first = keep("10.0.0.1:1");
  net::Stream* second = keep("10.0.0.1:1");
  net::Stream* other = keep("10.0.0.2:1");
  EXPECT_EQ(open("10.0.0.1:1"), second);
  EXPECT_EQ(open("10.0.0.1:1"), first);
  EXPECT_EQ(open("10.0.0.1:1"), nullptr) << "it was given to two";
  EXPECT_EQ(open("10.0.0.2:1"), other);
}

TEST_F(ExclusivePoolTest, ANewOneIsNew) {
  keep("10.0.0.1:1");
  EXPECT_EQ(open("10.0.0.1:1", ExclusivePool::Which::new_one), nullptr);
}

TEST_F(ExclusivePoolTest, NoFunctionHasAForbiddenAddress) {
  keep("169.254.169.254:80");
  EXPECT_EQ(open("169.254.169.254:80"), nullptr);
  EXPECT_NE(why_.find("no function may have"), std::string::npos) << why_;
}

TEST_F(ExclusivePoolTest, OneIsClosedWhenItsTimeIsOver) {
  keep("10.0.0.1:1", std::chrono::seconds(2));
  ring_.run_for(std::chrono::seconds(1));
  EXPECT_FALSE(functions_[0]->ended());
  ring_.run_for(std::chrono::seconds(2));
  EXPECT_TRUE(functions_[0]->ended());
  EXPECT_EQ(open("10.0.0.1:1"), nullptr);
}

TEST_F(ExclusivePoolTest, OneWithoutTimeIsClosedAtOnce) {
  keep("10.0.0.1:1", Duration::zero());
  settle();
  EXPECT_TRUE(functions_[0]->ended());
}

TEST_F(ExclusivePoolTest, OneThatSaysSomethingIsClosed) {
  keep("10.0.0.1:1");
  functions_[0]->say("HTTP/1.1 200 OK\r\n");
  settle();
  EXPECT_TRUE(functions_[0]->ended());
  EXPECT_EQ(open("10.0.0.1:1"), nullptr);
}

TEST_F(ExclusivePoolTest, OneThatEndsIsForgotten) {
  net::Stream* first = keep("10.0.0.1:1");
  keep("10.0.0.1:1");
  functions_[1]->say_no_more();
  settle();
  EXPECT_EQ(open("10.0.0.1:1"), first);
}

TEST_F(ExclusivePoolTest, OfTooManyTheOldestGoes) {
  for (size_t i = 0; i <= kKeptMax; ++i) keep("10.0.0.1:1");
  keep("10.0.0.2:1");
  settle();
  EXPECT_TRUE(functions_[0]->ended());
  for (size_t i = 1; i < functions_.size(); ++i) EXPECT_FALSE(functions_[i]->ended()) << i;
}

}  // namespace
}  // namespace fnkit
