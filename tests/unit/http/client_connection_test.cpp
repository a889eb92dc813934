// One connection to a function, its other end in the test's hands.
#include "http/client_connection.hpp"

#include <gtest/gtest.h>

#include "fnkit/coro/frame_pool.hpp"
#include "support/world.hpp"
#include "unit/http/function_world.hpp"

namespace fnkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::ok;
using test::SimulatedRing;

class ClientConnectionTest : public testing::TestWithParam<uint64_t>,
                             public http::ClientConnection::Owner {
 protected:
  using Ending = http::ClientConnection::Ending;

  ClientConnectionTest() : ring_(GetParam()) { connect(); }

  void connect() {
    const auto [near, far] = ring_.connected_pair();
    function_socket_ = far;
    ended_.reset();
    listening_ = false;
    heard_ = 0;
    connection_ = std::make_unique<http::ClientConnection>(ring_, near, options_, *this, busy_);
    function_ = std::make_unique<test::Caller>(ring_, far);
  }

  ~ClientConnectionTest() override {
    tasks_.spawn(connection_->close());
    tasks_.spawn(function_->close());
    while (tasks_.running() > 0) ring_.turn();
    connection_.reset();
    function_.reset();
    call_.reset();
    EXPECT_EQ(ring_.open_sockets(), 0U);
    EXPECT_EQ(coro::frames_alive(), 0U);
    EXPECT_EQ(Buffer::bytes_held_by_thread(), 0U);
  }

  void answered(http::ClientConnection&, Duration) override { ++answered_; }
  void has_room(http::ClientConnection&) override {}
  void again(http::ClientConnection&, http::PendingCall& call) override {
    call.end(http::CallError{http::CallError::Kind::broken, "it may go out again"});
  }
  void ended(http::ClientConnection&, Ending how) override {
    ended_ = how;
    connection_ended_at_ = ring_.now();
  }

  static void time_out(void* call) {
    auto& late = *static_cast<http::PendingCall*>(call);
    late.connection->give_up(late, {http::CallError::Kind::timeout, "no complete answer in time"});
  }
  void begin(http::OutgoingRequest request, Duration within = std::chrono::hours(1)) {
    call_.reset();
    request_ = request;
    const Instant deadline = later(ring_.now(), within);
    call_ = std::make_unique<http::PendingCall>(nullptr, request_, deadline, &time_out);
    ring_.timers().arm(call_->timer, deadline);
    connection_->add(*call_);
  }
  // A new connection instead of one that has ended.
  void return_to_life() {
    coro::TaskGroup closing;
    closing.spawn(connection_->close());
    closing.spawn(function_->close());
    while (closing.running() > 0) ring_.turn();
    connect();
  }
  // What comes of a request, once it is done or nothing has happened for ten seconds.
  std::string outcome() {
    run_until([this] { return call_->outcome.has_value(); }, seconds(10));
    ended_at_ = ring_.now();
    return test::text_of(call_->outcome);
  }
  // Until the function has heard so much more than before.
  void await_request(size_t bytes) {
    if (!std::exchange(listening_, true)) function_->start_reading();
    heard_ += bytes;
    run_until([this] { return function_->heard().size() >= heard_; }, seconds(1));
  }
  // A request answered with `bytes`.
  std::string answered_with(std::string bytes) {
    begin(kGet);
    await_request(kGet.head.size());
    function_->say(std::move(bytes));
    return outcome();
  }
  template <class Condition>
  void run_until(Condition condition, Duration at_most) {
    bool over = false;
    ring::Timer guard([](void* flag) { *static_cast<bool*>(flag) = true; }, &over);
    ring_.timers().arm(guard, later(ring_.now(), at_most));
    while (!condition() && !over) ring_.turn();
  }
  void run_for(Duration duration) {
    run_until([] { return false; }, duration);
  }
  // How long the connection may idle; nothing where it has not ended within two minutes.
  std::optional<Duration> idle_time() {
    const Instant from = ring_.now();
    run_until([this] { return ended_.has_value(); }, std::chrono::minutes(2));
    if (!ended_) return std::nullopt;
    return connection_ended_at_ - from;
  }
  bool usable() const { return !ended_ && connection_->free(); }

  static constexpr http::OutgoingRequest kGet = {"GET / HTTP/1.1\r\nhost: f\r\n\r\n", {}};

  SimulatedRing ring_;
  http::ClientOptions options_;
  Counter busy_;
  int function_socket_ = -1;
  std::unique_ptr<http::ClientConnection> connection_;
  std::unique_ptr<test::Caller> function_;
  bool listening_ = false;
  size_t heard_ = 0;
  http::OutgoingRequest request_;
  std::unique_ptr<http::PendingCall> call_;
  int answered_ = 0;
  Instant ended_at_;  // the call
  std::optional<Ending> ended_;
  Instant connection_ended_at_;
  coro::TaskGroup tasks_;
};

TEST_P(ClientConnectionTest, ARequestGoesOutWholeAndItsAnswerComesBackHoweverCut) {
  const std::string body = test::pattern(100'000);
  const std::string head = "POST / HTTP/1.1\r\ncontent-length: 100000\r\n\r\n";
  begin({head, body});
  await_request(head.size() + body.size());
  EXPECT_EQ(function_->heard(), head + body);
  const std::string answer = test::pattern(50'000, 2);
  function_->say(ok(answer));
  EXPECT_EQ(outcome(), "200 " + answer);
  EXPECT_TRUE(usable());
  EXPECT_EQ(answered_, 1);
}

TEST_P(ClientConnectionTest, EveryFramingIsReadAndTheNextAnswerBeginsAfterIt) {
  EXPECT_EQ(answered_with("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: t\r\n\r\n"),
            "200 abcde");
  EXPECT_EQ(answered_with("HTTP/1.1 204 No Content\r\n\r\n"), "204 ");
  EXPECT_EQ(answered_with("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
                          "HTTP/1.1 100 Continue\r\n\r\n" +
                          ok("after interim answers")),
            "200 after interim answers");
  begin({kGet.head, {}, true});
  await_request(kGet.head.size());
  function_->say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(outcome(), "200 ");
  EXPECT_EQ(answered_with(ok("still in step")), "200 still in step");
  EXPECT_TRUE(usable());
}

TEST_P(ClientConnectionTest, AnAnswerUpToTheEndOfTheConnectionIsTakenAndIsTheLast) {
  begin(kGet);
  await_request(kGet.head.size());
  function_->say("HTTP/1.1 200 OK\r\n\r\nall that comes");
  function_->say_no_more();
  EXPECT_EQ(outcome(), "200 all that comes");
  EXPECT_FALSE(usable());
}

TEST_P(ClientConnectionTest, BytesAfterAnAnswerEndTheConnectionsUse) {
  EXPECT_EQ(answered_with(ok("1") + ok("2")), "200 1");
  run_for(seconds(1));
  EXPECT_FALSE(usable());
}

TEST_P(ClientConnectionTest, AnIdleConnectionTellsWhenSomethingArrives) {
  EXPECT_EQ(answered_with(ok("1")), "200 1");
  function_->say("x");
  run_until([this] { return ended_.has_value(); }, milliseconds(500));
  EXPECT_EQ(ended_, Ending::in_use);
  EXPECT_FALSE(usable());
}

TEST_P(ClientConnectionTest, AnIdleConnectionTellsWhenItsPeerEndsOrBreaks) {
  EXPECT_EQ(answered_with(ok("1")), "200 1");
  if (GetParam() % 2 == 0) {
    function_->say_no_more();
  } else {
    ring_.kill(function_socket_);
  }
  run_until([this] { return ended_.has_value(); }, milliseconds(500));
  EXPECT_EQ(ended_, Ending::idle);
  EXPECT_FALSE(usable());
}

TEST_P(ClientConnectionTest, BytesBeforeTheRequestAreNotItsAnswer) {
  function_->say(ok("unasked"));
  run_for(seconds(1));
  EXPECT_EQ(ended_, Ending::in_use);
  return_to_life();
  ring_.faults().latency_max = milliseconds(0);
  function_->say(ok("unasked"));
  run_until([this] { return ended_.has_value(); }, seconds(1));
  EXPECT_EQ(ended_, Ending::in_use);
}

// CONTRACT section 5: what `Keep-Alive: timeout=N` promises less 1 s, at most 60 s; else 1.5 s.
TEST_P(ClientConnectionTest, ItIdlesAsLongAsItsPeerPromises) {
  const struct {
    std::string header;
    std::optional<milliseconds> expected;  // nothing: it is not to be used again
  } kCases[] = {{"", milliseconds(1500)},
                {"Keep-Alive: timeout=5\r\n", milliseconds(4000)},
                {"Keep-Alive: max=100, Timeout = 5\r\n", milliseconds(4000)},
                {"Keep-Alive: timeout=100\r\n", milliseconds(60'000)},
                {"Keep-Alive: timeout=99999999999999999999\r\n", milliseconds(1500)},
                {"Keep-Alive: timeout=soon\r\n", milliseconds(1500)},
                {"Keep-Alive: timeout=2\r\n", milliseconds(1000)},
                {"Keep-Alive: timeout=1\r\n", std::nullopt},
                {"Keep-Alive: timeout=0\r\n", std::nullopt}};
  for (const auto& each : kCases) {
    if (!each.expected) continue;
    ASSERT_EQ(answered_with(ok("1", each.header)), "200 1") << each.header;
    ASSERT_TRUE(usable()) << each.header;
    const std::optional<Duration> idled = idle_time();
    ASSERT_TRUE(idled) << each.header;
    EXPECT_GE(*idled, *each.expected) << each.header;
    EXPECT_LE(*idled, *each.expected + milliseconds(5)) << each.header;
    EXPECT_FALSE(usable());
    return_to_life();
  }
  for (const auto& each : kCases) {
    if (each.expected) continue;
    EXPECT_EQ(answered_with(ok("1", each.header)), "200 1") << each.header;
    EXPECT_FALSE(usable()) << each.header;
    return_to_life();
  }
}

TEST_P(ClientConnectionTest, AnEarlyAnswerIsTakenAndTheRestIsNotSent) {
  const std::string body(1024 * 1024, 'x');  // more than the network takes: the peer reads nothing
  begin({"POST / HTTP/1.1\r\ncontent-length: 1048576\r\n\r\n", body});
  run_for(milliseconds(100));
  function_->say("HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno!");
  EXPECT_EQ(outcome(), "413 no!");
  EXPECT_FALSE(usable());
}

TEST_P(ClientConnectionTest, AnEndBeforeOrWithinTheAnswerIsTold) {
  begin(kGet);
  await_request(kGet.head.size());
  if (GetParam() % 2 == 0) {
    function_->say_no_more();
    EXPECT_EQ(outcome(), "broken: the connection ended before an answer came");
  } else {
    ring_.kill(function_socket_);
    EXPECT_TRUE(outcome().starts_with("broken: the connection ended before an answer came"));
  }
  EXPECT_FALSE(usable());
}

TEST_P(ClientConnectionTest, ASendThatFailsAtOnceHasSentNothing) {
  ring_.faults().send_fails = 100;
  begin(kGet);
  EXPECT_EQ(outcome(), "broken: it may go out again");
}

TEST_P(ClientConnectionTest, WhatIsNoHttpIsSaid) {
  EXPECT_EQ(answered_with("HTTP/1.1 200 OK\nContent-Length: 0\n\n\r\n\r\n").substr(0, 9),
            "protocol:");
  EXPECT_FALSE(usable());
}

TEST_P(ClientConnectionTest, AnAnswerOverTheLimitIsRefusedByItsLength) {
  EXPECT_EQ(answered_with("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n"),
            "protocol: body too large");
}

TEST_P(ClientConnectionTest, ItsTimeMayEndAndItMayBeGivenUp) {
  begin(kGet, seconds(3));
  EXPECT_EQ(outcome(), "timeout: no complete answer in time");
  EXPECT_FALSE(usable());
  return_to_life();
  begin(kGet);
  run_for(milliseconds(100));
  connection_->give_up(*call_, {http::CallError::Kind::cancelled, "the caller is gone"});
  EXPECT_EQ(outcome(), "cancelled: the caller is gone");
}

// HTTP.md U28: 504 at the write-stall limit, which may come long before the step's deadline.
TEST_P(ClientConnectionTest, APeerThatDoesNotReadIsGivenUpAtTheStallLimit) {
  options_.write_timeout = seconds(2);
  const std::string body(1024 * 1024, 'x');
  begin({"POST / HTTP/1.1\r\ncontent-length: 1048576\r\n\r\n", body}, seconds(60));
  const Instant begun = ring_.now();
  EXPECT_EQ(outcome(), "not read: it does not read the request");
  EXPECT_GE(ended_at_ - begun, seconds(2));
  EXPECT_LE(ended_at_ - begun, seconds(3));
}

// Its address has gone from DNS, or the pool closes.
TEST_P(ClientConnectionTest, OneThatTakesNoMoreEndsWithItsLastAnswer) {
  begin(kGet);
  await_request(kGet.head.size());
  connection_->retire();
  run_for(seconds(3));
  EXPECT_FALSE(ended_);
  function_->say(ok("last", "Keep-Alive: timeout=100\r\n"));
  EXPECT_EQ(outcome(), "200 last");
  run_for(milliseconds(10));
  EXPECT_EQ(ended_, Ending::idle);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ClientConnectionTest, testing::Range<uint64_t>(1, 13));

}  // namespace
}  // namespace fnkit
