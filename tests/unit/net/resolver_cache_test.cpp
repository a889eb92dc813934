// What is kept of an answer, for how long, and when it is asked for again: the contract of
// resolver.hpp, against a server that says when it answers.
#include <gtest/gtest.h>

#include <cerrno>

#include "resolver_world.hpp"

namespace fnkit::test {
namespace {

using namespace std::chrono_literals;
using net::ResolverOptions;

// A machine that is busy elsewhere may be this much late; nothing here is meant to be that slow.
constexpr Duration kLate = 500ms;
constexpr Duration kAtOnce = 500ms;
constexpr Duration kTtlMin = 100ms;

// Answers every question for A with `address` and for AAAA with nothing. A TTL of 0 is taken for
// kTtlMin, which keeps the tests short.
Responder::Script only(const std::string& address, uint32_t ttl = 0) {
  return [=](const Question& question) {
    std::vector<Record> records;
    if (question.type == kA) records.push_back({kA, address, ttl});
    return answer(question, records);
  };
}
Responder::Script failing(unsigned rcode) {
  return [=](const Question& question) { return answer(question, {}, rcode); };
}
std::string silence(const Question&) { return Responder::kSilence; }

class ResolverCacheTest : public testing::Test {
 protected:
  ResolverWorld& world() {
    if (world_ == nullptr) {
      options_.servers = {responder_.address()};
      world_ = std::make_unique<ResolverWorld>(options_, &responder_);
    }
    return *world_;
  }
  Outcome resolved(const std::string& name = "f.test") { return world().resolved(name); }
  void expect_used_on(const std::string& address) {
    const Outcome stale = resolved();
    EXPECT_EQ(stale.text, address);
    EXPECT_LT(stale.took(), kAtOnce);
    EXPECT_GT(stale.fresh_until, stale.answered);
    EXPECT_LE(stale.fresh_until, stale.answered + 100ms) << "a new answer would come late";
  }

  Responder responder_{only("127.0.0.2")};
  ResolverOptions options_{.ttl_min = kTtlMin};
  std::unique_ptr<ResolverWorld> world_;
};

TEST_F(ResolverCacheTest, AnAnswerIsKeptForItsTtl) {
  responder_.script = only("127.0.0.2", 2);
  const Outcome first = resolved();
  EXPECT_EQ(first.text, "127.0.0.2");
  EXPECT_EQ(first.fresh_until, first.answered + 2s);
  world().pass(first.fresh_until - 700ms);
  const Outcome second = resolved();
  EXPECT_EQ(second.fresh_until, first.fresh_until);
  EXPECT_EQ(responder_.look_ups("f.test"), 1U);
  world().pass(first.fresh_until);
  resolved();
  world().until([&] { return responder_.look_ups("f.test") == 2; }, 5s);
  EXPECT_EQ(responder_.look_ups("f.test"), 2U);
}

TEST_F(ResolverCacheTest, ATtlIsTakenWithinItsBounds) {
  options_ = ResolverOptions();
  responder_.script = only("127.0.0.2", 0);
  const Outcome zero = resolved("zero.test");
  EXPECT_EQ(zero.fresh_until, zero.answered + 1s);
  responder_.script = only("127.0.0.2", 86400);
  const Outcome day = resolved("day.test");
  EXPECT_EQ(day.fresh_until, day.answered + 30s);
  responder_.script = [](const Question& question) {
    if (question.type != kA) return answer(question, {});
    return answer(question, {{kCname, "other.test", 3}, {kA, "127.0.0.2", 20}});
  };
  const Outcome alias = resolved("alias.test");
  EXPECT_EQ(alias.text, "127.0.0.2");
  EXPECT_EQ(alias.fresh_until, alias.answered + 3s) << "the name may lead elsewhere by then";
}

TEST_F(ResolverCacheTest, SixtyFourCallersAskOnce) {
  responder_.script = &silence;
  std::vector<Outcome> outcomes(64);
  for (Outcome& outcome : outcomes) world().resolve("f.test", outcome);
  const auto asked = [&] {
    return responder_.look_ups("f.test") > 0 && responder_.look_ups("f.test", kAaaa) > 0;
  };
  ASSERT_TRUE(world().until(asked));
  responder_.answer_late(only("127.0.0.2"));
  ASSERT_TRUE(world().until([&] { return outcomes.back().done; }));
  for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.text, "127.0.0.2");
  EXPECT_EQ(responder_.look_ups("f.test"), 1U);
  EXPECT_EQ(responder_.look_ups("f.test", kAaaa), 1U);
}

// Nobody waits for a name that is in constant use.
TEST_F(ResolverCacheTest, WhatHasJustExpiredIsUsedWhileOneLookUpGoesOn) {
  const Outcome first = resolved();
  responder_.script = &silence;
  world().pass(first.fresh_until + 50ms);
  for (int i = 0; i < 5; ++i) expect_used_on("127.0.0.2");
  const auto asked = [&] { return responder_.look_ups("f.test") == 2; };
  ASSERT_TRUE(world().until(asked));
  responder_.answer_late(only("127.0.0.3"));
  EXPECT_TRUE(world().until([&] { return resolved().text == "127.0.0.3"; }, 5s));
  EXPECT_EQ(responder_.look_ups("f.test"), 2U);
  EXPECT_LE(resolved().answered, first.fresh_until + 1s + kLate);
}

// What is still fresh when it is handed out is not used for long after.
TEST_F(ResolverCacheTest, WhatHasExpiredIsUsedForOneSecondAtMost) {
  const Outcome first = resolved();
  responder_.script = &silence;
  world().pass(first.fresh_until + 930ms);
  const Outcome last = resolved();
  if (last.answered < first.fresh_until + 1s) {
    EXPECT_EQ(last.text, "127.0.0.2");
    EXPECT_LE(last.fresh_until, first.fresh_until + 1s);
  }
}

TEST_F(ResolverCacheTest, WhatHasLongExpiredWaitsForTheNewAnswer) {
  const Outcome first = resolved();
  responder_.script = only("127.0.0.3");
  world().pass(first.fresh_until + 1010ms);
  EXPECT_EQ(resolved().text, "127.0.0.3");
}

TEST_F(ResolverCacheTest, WhatIsDoubtedIsAskedAnewAndWaitedFor) {
  responder_.script = only("127.0.0.2", 30);
  const Outcome first = resolved();
  responder_.script = only("127.0.0.3", 30);
  world().resolver().doubt("f.test");
  EXPECT_EQ(resolved().text, "127.0.0.2") << "DNS has been asked a moment ago";
  world().pass(first.answered + 1010ms);
  EXPECT_EQ(resolved().text, "127.0.0.2");
  world().resolver().doubt("f.test");
  EXPECT_EQ(resolved().text, "127.0.0.3");
  EXPECT_EQ(responder_.look_ups("f.test"), 2U);
  world().resolver().doubt("unknown.test");
}

TEST_F(ResolverCacheTest, WhatIsDoubtedIsUsedOnWhereDnsIsSilent) {
  responder_.script = only("127.0.0.2", 30);
  const Outcome first = resolved();
  responder_.script = &silence;
  world().pass(first.answered + 1010ms);
  world().resolver().doubt("f.test");
  const Outcome waited = resolved();
  EXPECT_EQ(waited.text, "127.0.0.2");
  EXPECT_LT(waited.took(), 1s + kLate);
  expect_used_on("127.0.0.2");
}

TEST_F(ResolverCacheTest, WhatHasLongExpiredWaitsOneSecondForDnsThatIsSilent) {
  const Outcome first = resolved();
  responder_.script = &silence;
  world().pass(first.fresh_until + 1010ms);
  const Outcome waited = resolved();
  EXPECT_EQ(waited.text, "127.0.0.2") << "a known address goes before none";
  EXPECT_GE(waited.took(), 1s - 50ms);
  EXPECT_LT(waited.took(), 1s + kLate);
  for (int i = 0; i < 5; ++i) expect_used_on("127.0.0.2");
}

TEST_F(ResolverCacheTest, AKnownAddressIsUsedOnWhileDnsFailsAndNoLonger) {
  options_.stale_max = 2500ms;
  options_.failure_ttl = 200ms;
  const Outcome first = resolved();
  responder_.script = failing(kServFail);
  world().pass(first.fresh_until + 10ms);
  expect_used_on("127.0.0.2");
  world().pass(first.fresh_until + 1500ms);
  responder_.script = failing(kRefused);
  for (int i = 0; i < 5; ++i) expect_used_on("127.0.0.2");
  world().pass(first.fresh_until + 2500ms - kAtOnce);
  expect_used_on("127.0.0.2");
  EXPECT_LE(resolved().fresh_until, first.fresh_until + 2500ms);
  world().pass(first.fresh_until + 2500ms);
  const Outcome over = resolved();
  EXPECT_TRUE(over.text.starts_with("cannot resolve 'f.test': ")) << over.text;
  EXPECT_LT(over.took(), kAtOnce);
  responder_.script = only("127.0.0.4");
  EXPECT_TRUE(world().until([&] { return resolved().text == "127.0.0.4"; }, 5s));
}

TEST_F(ResolverCacheTest, WhileDnsFailsItIsAskedOnceEachFailureTtl) {
  options_.failure_ttl = 300ms;
  const Outcome first = resolved();
  responder_.script = failing(kServFail);
  world().pass(first.fresh_until);
  const size_t before = responder_.look_ups("f.test");
  const Instant begin = world().ring().now();
  while (world().ring().now() < begin + 1200ms) {
    expect_used_on("127.0.0.2");
    world().pass(world().ring().now() + 10ms);
  }
  const auto asked = responder_.look_ups("f.test") - before;
  const auto most = static_cast<size_t>((world().ring().now() - begin) / options_.failure_ttl) + 1;
  EXPECT_GE(asked, 2U);
  EXPECT_LE(asked, most);
}

TEST_F(ResolverCacheTest, AFailureThatIsOverIsForgotten) {
  options_.failure_ttl = 100ms;
  const Outcome first = resolved();
  responder_.script = failing(kServFail);
  world().pass(first.fresh_until);
  const auto failed = [&] {
    expect_used_on("127.0.0.2");
    return responder_.look_ups("f.test") == 3;  // the second of which had failed, then
  };
  ASSERT_TRUE(world().until(failed));
  responder_.script = only("127.0.0.3");
  Outcome again;
  const auto recovered = [&] { return (again = resolved()).text == "127.0.0.3"; };
  ASSERT_TRUE(world().until(recovered, 5s));
  responder_.script = only("127.0.0.4");
  world().pass(again.fresh_until + 1010ms);
  EXPECT_EQ(resolved().text, "127.0.0.4");
}

TEST_F(ResolverCacheTest, ThatThereIsNoSuchNameDropsWhatWasKnown) {
  const Outcome first = resolved();
  responder_.script = failing(kNxDomain);
  world().pass(first.fresh_until + 10ms);
  resolved();  // begins the look-up
  EXPECT_TRUE(world().until([&] { return resolved().count == 0; }, 5s));
  EXPECT_LE(world().ring().now(), first.fresh_until + 1s + kLate);
}

TEST_F(ResolverCacheTest, ThatThereIsNoAddressDropsWhatWasKnown) {
  const Outcome first = resolved();
  responder_.script = failing(0);
  world().pass(first.fresh_until + 10ms);
  resolved();
  EXPECT_TRUE(world().until([&] { return resolved().count == 0; }, 5s));
  EXPECT_LE(world().ring().now(), first.fresh_until + 1s + kLate);
}

// A recursor that cannot ask for the A, and then says that there is no AAAA.
TEST_F(ResolverCacheTest, NoDataForOneKindDoesNotHideThatTheOtherFails) {
  options_.failure_ttl = 300ms;
  const Outcome first = resolved();
  uint16_t seen = 0;
  responder_.script = [&](const Question& question) {
    if (question.type == kA) return answer(question, {}, kServFail);
    const bool again = std::exchange(seen, question.id()) == question.id();
    return again ? answer(question, {}) : Responder::kSilence;
  };
  for (const Duration after : {10ms, 800ms, 1600ms}) {
    world().pass(first.fresh_until + after);
    expect_used_on("127.0.0.2");
  }
  EXPECT_GE(responder_.look_ups("f.test", kAaaa), 3U);
}

TEST_F(ResolverCacheTest, AnAnswerThatComesTooLateFillsTheCache) {
  responder_.script = &silence;
  const Outcome failed = resolved();
  EXPECT_EQ(failed.text, "cannot resolve 'f.test': no answer from DNS within 1 s");
  EXPECT_GE(failed.took(), 1s - 50ms);
  EXPECT_LT(failed.took(), 1s + kLate);
  const Outcome kept = resolved();
  EXPECT_EQ(kept.text, failed.text);
  EXPECT_LT(kept.took(), kAtOnce) << "the failure is kept, and the look-up still under way";
  responder_.answer_late(only("127.0.0.2"));
  EXPECT_TRUE(world().until([&] { return resolved().text == "127.0.0.2"; }, 500ms));
  EXPECT_EQ(responder_.look_ups("f.test"), 1U);
}

TEST_F(ResolverCacheTest, AFailureIsKeptForItsTime) {
  responder_.script = failing(kServFail);
  const Outcome failed = resolved();
  EXPECT_TRUE(failed.text.starts_with("cannot resolve 'f.test': ")) << failed.text;
  EXPECT_LT(failed.took(), 1s);
  responder_.script = only("127.0.0.2");
  world().pass(failed.answered + 500ms);
  EXPECT_EQ(resolved().text, failed.text);
  EXPECT_EQ(responder_.look_ups("f.test"), 1U);
  world().pass(failed.answered + 1s);
  EXPECT_EQ(resolved().text, "127.0.0.2");
}

TEST_F(ResolverCacheTest, WaitingEndsAtTheDeadlineOrWhenItIsCancelled) {
  responder_.script = &silence;
  Outcome late;
  world().resolve("f.test", late, later(world().ring().now(), 100ms));
  Outcome cancelled;
  world().resolve("f.test", cancelled);
  ASSERT_TRUE(world().until([&] { return late.done; }));
  EXPECT_EQ(late.error, ETIMEDOUT) << late.text;
  EXPECT_FALSE(cancelled.done);
  world().scope().cancel();
  ASSERT_TRUE(world().until([&] { return cancelled.done; }));
  EXPECT_EQ(cancelled.error, ECANCELED) << cancelled.text;
}

TEST_F(ResolverCacheTest, NamesThatNobodyAsksForAreForgotten) {
  constexpr size_t kBatch = 100;
  options_.ttl_min = options_.ttl_max = options_.failure_ttl = options_.stale_max = 1ms;
  responder_.script = [](const Question& question) {
    if (question.name == "waited-for.test") return Responder::kSilence;
    return question.name[0] == 'f' ? only("127.0.0.2")(question) : failing(kNxDomain)(question);
  };
  Outcome waited_for;
  world().resolve("waited-for.test", waited_for);
  for (size_t done = 0; done < 2 * net::Resolver::kNamesMax; done += kBatch) {
    std::vector<Outcome> batch(kBatch);
    for (size_t i = 0; i < kBatch; ++i) {
      world().resolve((i % 2 == 0 ? "f" : "none") + std::to_string(done + i) + ".test", batch[i]);
    }
    for (const Outcome& each : batch) ASSERT_TRUE(world().until([&] { return each.done; }));
    EXPECT_EQ(batch[0].text, "127.0.0.2");
    ASSERT_LE(world().resolver().names_known(), net::Resolver::kNamesMax + kBatch);
  }
  ASSERT_TRUE(world().until([&] { return waited_for.done; }));
}

}  // namespace
}  // namespace fnkit::test
