// Names into addresses, as far as that can be tested without anybody's DNS: addresses, the hosts
// file, and queries that nobody waits for.
#include "fnkit/net/resolver.hpp"

#include <gtest/gtest.h>

#include <cerrno>

#include "fnkit/coro/frame_pool.hpp"
#include "fnkit/coro/task_group.hpp"
#include "support/simulated_ring.hpp"

namespace fnkit {
namespace {

using net::Address;
using net::Resolver;
using test::SimulatedRing;

// On the simulated clock; c-ares' sockets are real ones that the simulation polls.
class ResolverTest : public testing::Test {
 protected:
  ~ResolverTest() override {
    if (!closed_) close();
    while (tasks_.running() > 0) ring_.turn();
    EXPECT_EQ(coro::frames_alive(), 0U);
    EXPECT_EQ(ring_.in_flight(), 0U);
  }

  struct Outcome {
    bool done = false;
    int error = 0;
    std::string text;  // the addresses, or why there is none
  };

  void resolve(std::string host, Outcome& outcome, Instant deadline = kNever) {
    tasks_.spawn(run(std::move(host), deadline, outcome));
  }
  void close() {
    closed_ = true;
    tasks_.spawn(resolver_.close());
  }
  std::string resolved(const std::string& host) {
    Outcome outcome;
    resolve(host, outcome, later(ring_.now(), std::chrono::seconds(5)));
    while (!outcome.done) ring_.turn();
    return outcome.text;
  }

  coro::Task<void> run(std::string host, Instant deadline, Outcome& outcome) {
    Result<net::Resolved> resolved =
        co_await resolver_.resolve(std::move(host), 8080, deadline, scope_);
    outcome.done = true;
    if (!resolved) {
      outcome.error = resolved.error().code;
      outcome.text = resolved.error().message;
      co_return;
    }
    for (const Address& address : resolved->addresses) outcome.text += address.to_text() + " ";
  }

  SimulatedRing ring_{1};
  Resolver resolver_{ring_, net::ResolverOptions()};
  coro::CancelScope scope_;
  coro::TaskGroup tasks_;
  bool closed_ = false;
};

TEST_F(ResolverTest, AnAddressIsItself) {
  EXPECT_EQ(resolved("10.1.2.3"), "10.1.2.3:8080 ");
  EXPECT_EQ(resolved("fd00::1"), "[fd00::1]:8080 ");
}

// RFC 6761 section 6.3. There need not be a hosts file.
TEST_F(ResolverTest, LocalhostIsTheLoopback) {
  for (const char* name : {"localhost", "LocalHost.", "valkey.localhost"}) {
    EXPECT_EQ(resolved(name), "127.0.0.1:8080 [::1]:8080 ") << name;
  }
}

TEST_F(ResolverTest, ALookUpCanBeGivenUp) {
  Outcome outcome;
  resolve("nobody-waits.invalid", outcome);
  if (outcome.done) GTEST_SKIP() << "this machine's look-ups fail at once: " << outcome.text;
  scope_.cancel();
  while (!outcome.done) ring_.turn();
  EXPECT_EQ(outcome.error, ECANCELED) << outcome.text;
}

TEST_F(ResolverTest, ClosingEndsWhatIsUnderWay) {
  Outcome one;
  Outcome other;
  resolve("nobody-answers.invalid", one);
  resolve("nobody-answers.invalid", other);
  close();
  while (tasks_.running() > 0) ring_.turn();
  EXPECT_TRUE(one.done && other.done);
}

}  // namespace
}  // namespace fnkit
