// A call whose bodies go by in parts, and a function of which the test says every byte.
#include <gtest/gtest.h>

#include "fnkit/http/streamed_call.hpp"
#include "support/world.hpp"
#include "wire/server_world.hpp"

namespace fnkit {
namespace {

using http::CallError;
using test::Caller;

const std::string kAnswerHead = "HTTP/1.1 200 OK\r\nX: y\r\n";

class StreamedCallTest : public testing::TestWithParam<uint64_t> {
 protected:
  StreamedCallTest() {
    const auto [ours, theirs] = ring_.connected_pair();
    call_.emplace(ring_,
                  http::ExclusivePool::Connection{std::make_unique<net::Stream>(ring_, ours), {}},
                  options_, std::chrono::seconds(5));
    function_.emplace(ring_, theirs);
    call_->begin("POST / HTTP/1.1\r\n\r\n", true, false);
  }
  ~StreamedCallTest() override {
    call_->stop();
    const http::ExclusivePool::Connection connection = call_->release();
    tasks_.spawn(connection.stream->close());
    if (function_) tasks_.spawn(function_->close());
    ring_.run_for(std::chrono::seconds(1));
    call_.reset();
    EXPECT_EQ(tasks_.running(), 0U) << "something still waits";
  }

  // The answer so far: its head, "|" and each part; then "end", or why there is no more.
  coro::Task<void> read() {
    Result<http::IncomingHead, CallError> head = co_await call_->answer_head();
    if (!head) {
      answer_ += "no answer: " + head.error().detail;
      co_return;
    }
    answer_ += std::to_string(head->status) + "|";
    Result<http::BodyPart, CallError> part = call_->part_here();
    while (part) {
      answer_ += part->bytes.view();
      if (part->last) break;
      part = co_await call_->next_part();
    }
    answer_ += part ? "|end" : "|" + part.error().detail;
  }
  coro::Task<void> send(std::string bytes, bool last) {
    Result<void, CallError> sent = co_await call_->send(bytes, last);
    if (!sent) not_sent_ = sent.error().kind;
  }
  const std::string& answer_to(const std::string& bytes, bool ends) {
    function_->start_reading();
    tasks_.spawn(read());
    function_->say(bytes);
    if (ends) function_->say_no_more();
    ring_.run_for(std::chrono::seconds(2));
    return answer_;
  }

  test::SimulatedRing ring_{GetParam()};
  http::ClientOptions options_;
  std::optional<http::StreamedCall> call_;
  std::optional<Caller> function_;
  std::string answer_;
  std::optional<CallError::Kind> not_sent_;
  coro::TaskGroup tasks_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, StreamedCallTest, testing::Range<uint64_t>(1, 13));

TEST_P(StreamedCallTest, SendsPartsAsTheyCome) {
  function_->start_reading();
  tasks_.spawn(send("", false));
  ring_.run_for(std::chrono::seconds(1));
  EXPECT_EQ(function_->heard(), "POST / HTTP/1.1\r\n\r\n") << "the head waits for a part";
  tasks_.spawn(send("abc", false));
  ring_.run_for(std::chrono::seconds(1));
  EXPECT_TRUE(function_->heard().ends_with("\r\n\r\n3\r\nabc\r\n"));
  tasks_.spawn(send(test::pattern(26), true));
  ring_.run_for(std::chrono::seconds(1));
  EXPECT_TRUE(function_->heard().ends_with("1a\r\n" + test::pattern(26) + "\r\n0\r\n\r\n"));
}

TEST_P(StreamedCallTest, ReadsEachKindOfBody) {
  EXPECT_EQ(answer_to(kAnswerHead + "Content-Length: 3\r\n\r\nabc", false), "200|abc|end");
}
TEST_P(StreamedCallTest, ReadsChunks) {
  EXPECT_EQ(
      answer_to(kAnswerHead + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
                false),
      "200|abc|end");
}
TEST_P(StreamedCallTest, ReadsUntilTheEnd) {
  EXPECT_EQ(answer_to("HTTP/1.1 103 Early\r\n\r\n" + kAnswerHead + "\r\nabc", true), "200|abc|end");
}
TEST_P(StreamedCallTest, ReadsNoBody) {
  EXPECT_EQ(answer_to(kAnswerHead + "Content-Length: 0\r\n\r\n", false), "200||end");
}

TEST_P(StreamedCallTest, AnAnswerHasNoLimit) {
  options_.limits.body_bytes_max = 10;
  const std::string body = test::pattern(500'000);
  EXPECT_TRUE(answer_to(kAnswerHead + "Content-Length: 500000\r\n\r\n" + body, false) ==
              "200|" + body + "|end");
}

TEST_P(StreamedCallTest, WhatIsCutOffIsNotComplete) {
  EXPECT_EQ(answer_to(kAnswerHead + "Content-Length: 4\r\n\r\nabc", true),
            "200|abc|the connection ended before the answer did");
}
TEST_P(StreamedCallTest, AHeadThatIsCutOffIsNoAnswer) {
  EXPECT_EQ(answer_to("HTTP/1.1 200 OK\r\n", true),
            "no answer: the connection ended before the answer did");
}
TEST_P(StreamedCallTest, NonsenseIsNoAnswer) {
  EXPECT_TRUE(answer_to("nonsense\r\n\r\n", false).starts_with("no answer: "));
}

TEST_P(StreamedCallTest, SilenceEndsIt) {
  answer_to(kAnswerHead + "Content-Length: 4\r\n\r\nab", false);
  ring_.run_for(std::chrono::seconds(2));
  function_->say("c");
  ring_.run_for(std::chrono::seconds(4));
  EXPECT_EQ(answer_, "200|abc") << "it was not silent for so long";
  tasks_.spawn(send("x", false));
  ring_.run_for(std::chrono::seconds(4));
  EXPECT_EQ(answer_, "200|abc") << "the other side has moved";
  ring_.run_for(std::chrono::seconds(2));
  EXPECT_EQ(answer_, "200|abc|nothing came in time");
}

TEST_P(StreamedCallTest, AWholeCallLeavesItsConnection) {
  options_.idle_timeout = std::chrono::seconds(3);
  tasks_.spawn(send("x", false));
  answer_to(kAnswerHead + "Content-Length: 1\r\n\r\na", false);
  EXPECT_EQ(call_->idle_time(), Duration::zero()) << "not all of the request was sent";
  tasks_.spawn(send("x", true));
  ring_.run_for(std::chrono::seconds(1));
  EXPECT_EQ(call_->idle_time(), std::chrono::seconds(3));
  function_->say("more");
  ring_.run_for(std::chrono::seconds(1));
  EXPECT_EQ(call_->idle_time(), Duration::zero()) << "bytes are left over";
}

TEST_P(StreamedCallTest, StopEndsEveryWait) {
  tasks_.spawn(read());
  tasks_.spawn(send("x", false));
  ring_.run_for(std::chrono::seconds(1));
  call_->stop();
  ring_.run_for(std::chrono::seconds(1));
  EXPECT_EQ(answer_, "no answer: given up");
}

TEST_P(StreamedCallTest, WhoeverReadsNothingIsTold) {
  options_.write_timeout = std::chrono::seconds(1);
  tasks_.spawn(send(test::pattern(3'000'000), false));
  ring_.run_for(std::chrono::seconds(3));
  EXPECT_EQ(not_sent_, CallError::Kind::not_read);
}

}  // namespace
}  // namespace fnkit
