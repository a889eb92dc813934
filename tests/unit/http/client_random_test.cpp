// Many calls and all kinds of trouble, from a seed. Whatever happens: nobody gets another's answer,
// every call ends once, nothing that must not be repeated is asked twice, and all comes home.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "support/world.hpp"
#include "unit/http/function_world.hpp"

namespace fnkit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FunctionWorld;
using test::ok;
using Call = FunctionWorld::Call;

// More for a longer run: FNKIT_SIMULATION_SEEDS=N.
uint64_t seeds() {
  const char* wanted = std::getenv("FNKIT_SIMULATION_SEEDS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 8;
}

class ClientRandomTest : public testing::TestWithParam<uint64_t> {
 protected:
  struct Made {
    Call* call;
    std::string name;
    bool is_head;
    bool may_repeat;
    bool cancelled = false;
  };

  ClientRandomTest() {
    world_.options.pipelining_trust = 10;
    world_.options.pipelining_wait = seconds(1);
    world_.options.pipelining_depth = 1 + random_.below(8);
    world_.options.connections_max = 1 + random_.below(6);
    world_.options.waiting_max = 50;
    world_.options.connect_timeout = seconds(2);
  }

  bool chance(unsigned percent) { return random_.chance(percent); }

  // One turn of the loop, also where nothing is to be waited for.
  void turn() {
    ring::Timer guard([](void*) {}, nullptr);
    world_.ring.timers().arm(guard, later(world_.ring.now(), milliseconds(1)));
    world_.turn();
  }

  void make_calls() {
    for (uint64_t i = random_.below(7); i > 0; --i) {
      Made made{nullptr, "n" + std::to_string(made_.size()), chance(10), false};
      made.may_repeat = made.is_head || chance(50);
      FunctionWorld::How how;
      how.within = seconds(20);
      how.method = made.is_head ? "HEAD" : made.may_repeat ? "GET" : "POST";
      if (chance(20)) how.within = milliseconds(1 + random_.below(40));
      if (chance(20)) how.body_bytes = random_.below(40'000);
      how.may_share = !chance(10);
      made.call = &world_.call(made.name, how);
      made_.push_back(made);
    }
  }
  void make_trouble(bool hard) {
    for (Made& each : made_) {
      if (each.call->done() || !chance(3)) continue;
      each.call->scope.cancel();
      each.cancelled = true;
    }
    if (made_.size() > 2 && chance(20)) {
      Made& one = made_[made_.size() - 1];
      Made& other = made_[made_.size() - 2];
      if (!other.call->done() && !one.cancelled) {
        other.call->gives_up = one.call;
        one.cancelled = true;
      }
    }
    if (hard && world_.accepted() > 0 && chance(10)) world_.reset_if_open(world_.accepted() - 1);
    if (hard && world_.accepted() > 0 && chance(5)) {
      world_.reset_if_open(random_.below(world_.accepted()));
    }
    if (hard && world_.accepted() > 0 && chance(5)) {
      world_.peer(random_.below(world_.accepted())).say_no_more();
    }
    if (hard) world_.ring.faults().send_fails = chance(5) ? 20 : 0;
    if (hard) world_.ring.faults().connect_refused = chance(5) ? 50 : 0;
    world_.ring.faults().socket_bytes = chance(10) ? 1000 : 64 * 1024;
  }
  // Some are large enough to be received where they stay.
  static std::string answer_to(std::string_view name) {
    const size_t more = name.ends_with("33") ? 150'000 : 0;
    return "answer to " + std::string(name) + test::pattern(more);
  }
  // Twice the same answer, or none and then the next one's, is not among it: whose an answer is,
  // HTTP/1.1 does not say.
  std::string reply(std::string_view method, std::string_view name, bool hard) {
    const std::string body = answer_to(name);
    const std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    if (hard && chance(1)) return "";
    if (hard && chance(1)) return "HTTP/1.1 what?\r\n\r\n";
    const std::string head = std::string("HTTP/1.1 200 OK\r\n") +
                             (hard && chance(3) ? "Connection: close\r\n" : "") +
                             (chance(3) ? "Keep-Alive: timeout=1\r\n" : "");
    if (method == "HEAD") return head + length;
    if (chance(20)) {
      return head + "Transfer-Encoding: chunked\r\n\r\n5\r\nansw" + "e\r\n" +
             hexadecimal(body.size() - 5) + "\r\n" + body.substr(5) + "\r\n0\r\n\r\n";
    }
    return "HTTP/1.1 100 Continue\r\n\r\n" + head + length + body;
  }
  void answer_by_itself(Duration takes, bool hard) {
    world_.answer_by_itself(takes, [this, hard](std::string_view method, std::string_view name) {
      return reply(method, name, hard);
    });
  }
  static std::string hexadecimal(size_t number) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (; number > 0; number /= 16) text.insert(0, 1, kDigits[number % 16]);
    return text;
  }

  void judge() {
    for (const Made& each : made_) {
      ASSERT_TRUE(each.call->done()) << each.name;
      const std::string text = each.call->text();
      const std::string answer = "200 " + (each.is_head ? "" : answer_to(each.name));
      if (*each.call->outcome) {
        EXPECT_TRUE(text == answer) << each.name << ": " << text.substr(0, 100);
        ++answered_;
        EXPECT_GE(world_.asked(each.name), 1U) << each.name;
      }
      EXPECT_LE(world_.asked(each.name), each.may_repeat ? 2U : 1U) << each.name;
    }
    calls_ += made_.size();
    RecordProperty("answered", static_cast<int>(answered_));
    RecordProperty("calls", static_cast<int>(calls_));
    RecordProperty("shared", static_cast<int>(world_.pool().counts().shared));
    RecordProperty("repeated", static_cast<int>(world_.pool().counts().repeated));
  }

  // `hard`: connections break, answers are missing or too many.
  void story(bool hard) {
    world_.earn_trust();
    for (int round = 0; round < 200; ++round) {
      answer_by_itself(chance(70) ? Duration::zero() : milliseconds(random_.below(5)), hard);
      make_calls();
      for (uint64_t turns = random_.below(12); turns > 0; --turns) turn();
      make_trouble(hard);
      if (chance(2)) world_.run_for(seconds(2));
    }
    world_.ring.faults() = test::FaultPlan();
    answer_by_itself(Duration::zero(), false);
    ASSERT_TRUE(world_.run_until([this] {
      return std::all_of(made_.begin(), made_.end(),
                         [](const Made& each) { return each.cancelled || each.call->done(); });
    }));
    for (Made& each : made_) each.call->scope.cancel();
    world_.settle();
    judge();
  }

  Random random_{GetParam() * 7919};
  FunctionWorld world_{GetParam()};
  std::vector<Made> made_;
  size_t answered_ = 0;
  size_t calls_ = 0;
};

TEST_P(ClientRandomTest, WithAFunctionThatIsAsItShould) {
  story(false);
  EXPECT_GT(world_.ring.received_in_place(), 0U) << "large answers are copied";
  EXPECT_GT(answered_, calls_ / 4);
}

TEST_P(ClientRandomTest, WithAFunctionThatBreaks) {
  story(true);
  EXPECT_GT(answered_, calls_ / 10);
}

INSTANTIATE_TEST_SUITE_P(Seeds, ClientRandomTest, testing::Range<uint64_t>(1, 1 + seeds()));

}  // namespace
}  // namespace fnkit
