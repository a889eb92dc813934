// Names into addresses, as far as no DNS server says anything: addresses, the names that need none,
// and queries that nobody answers.
#include "fnkit/net/resolver.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>

#include "fnkit/coro/frame_pool.hpp"
#include "fnkit/coro/task_group.hpp"
#include "fnkit/net/listener.hpp"
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
    ::close(silent_);
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
    Result<net::Resolved> found =
        co_await resolver_.resolve(std::move(host), 8080, deadline, scope_);
    outcome.done = true;
    if (!found) {
      outcome.error = found.error().code;
      outcome.text = found.error().message;
      co_return;
    }
    EXPECT_EQ(found->fresh_until, kNever);
    for (const Address& address : found->addresses) outcome.text += address.to_text() + " ";
  }

  // A DNS server that says nothing.
  static int open_silent() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const Address any = *Address::parse("127.0.0.1:0");
    REQUIRE(::bind(fd, any.raw(), any.length()) == 0);
    return fd;
  }
  static net::ResolverOptions asking(int fd) { return {.servers = {*Address::of_socket(fd)}}; }

  SimulatedRing ring_{1};
  int silent_ = open_silent();
  Resolver resolver_{ring_, asking(silent_)};
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
  resolve("nobody-waits.test", outcome);
  ASSERT_FALSE(outcome.done) << outcome.text;
  scope_.cancel();
  while (!outcome.done) ring_.turn();
  EXPECT_EQ(outcome.error, ECANCELED) << outcome.text;
}

TEST_F(ResolverTest, ALookUpEndsAtItsDeadline) {
  Outcome outcome;
  resolve("nobody-answers.test", outcome, later(ring_.now(), std::chrono::milliseconds(50)));
  while (!outcome.done) ring_.turn();
  EXPECT_EQ(outcome.error, ETIMEDOUT) << outcome.text;
}

TEST_F(ResolverTest, ALookUpThatNobodyAnswersIsWaitedForOneSecond) {
  const Instant begin = ring_.now();
  const std::string expected = "cannot resolve 'f.test': no answer from DNS within 1 s";
  EXPECT_EQ(resolved("f.test"), expected);
  EXPECT_GE(ring_.now(), later(begin, std::chrono::seconds(1)));
  EXPECT_LE(ring_.now(), later(begin, std::chrono::milliseconds(1010)));
  EXPECT_EQ(resolved("f.test"), expected);
  EXPECT_LE(ring_.now(), later(begin, std::chrono::milliseconds(1010))) << "a failure is kept";
}

TEST_F(ResolverTest, ClosingEndsWhatIsUnderWay) {
  Outcome one;
  Outcome other;
  resolve("nobody-answers.test", one);
  resolve("nobody-answers.test", other);
  close();
  while (tasks_.running() > 0) ring_.turn();
  EXPECT_EQ(one.error, ECANCELED) << one.text;
  EXPECT_EQ(other.error, ECANCELED) << other.text;
}

}  // namespace
}  // namespace fnkit
