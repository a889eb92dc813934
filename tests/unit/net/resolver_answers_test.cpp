// Answers of every kind, and what is no answer: what comes of them.
#include <gtest/gtest.h>

#include "fnkit/base/random.hpp"
#include "resolver_world.hpp"

namespace fnkit::test {
namespace {

using namespace std::chrono_literals;

Outcome outcome_of(const Responder::Script& script, Responder* used = nullptr) {
  Responder own(script);
  Responder& responder = used != nullptr ? *used : own;
  ResolverWorld world({.servers = {responder.address()}}, &responder);
  return world.resolved("f.test");
}

Responder::Script with(std::vector<Record> records) {
  return [=](const Question& question) {
    std::vector<Record> wanted;
    for (const Record& record : records) {
      if (record.type == question.type) wanted.push_back(record);
    }
    return answer(question, wanted);
  };
}

TEST(ResolverAnswersTest, BothKindsInTurns) {
  const Outcome found = outcome_of(with({{kAaaa, "::1"},
                                         {kA, "127.0.0.2"},
                                         {kA, "127.0.0.3"},
                                         {kA, "127.0.0.4"},
                                         {kAaaa, "fd00::2"}}));
  EXPECT_EQ(found.text, "127.0.0.2 [::1] 127.0.0.3 [fd00::2] 127.0.0.4");
}

TEST(ResolverAnswersTest, OneKindAloneWillDo) {
  EXPECT_EQ(outcome_of(with({{kAaaa, "::1"}})).text, "[::1]");
  EXPECT_EQ(outcome_of(with({{kA, "127.0.0.2"}})).text, "127.0.0.2");
}

// They do not fit into a datagram: asked for again over TCP.
TEST(ResolverAnswersTest, OfTwoHundredAddressesSixtyFourAreKept) {
  std::vector<Record> records;
  for (int i = 1; i <= 200; ++i) records.push_back({kA, "127.0.1." + std::to_string(i)});
  size_t over_tcp = 0;
  const auto counting = [&](const Question& question) {
    over_tcp += question.tcp ? 1 : 0;
    return with(records)(question);
  };
  EXPECT_EQ(outcome_of(counting).count, net::Resolver::kAddressesMax);
  EXPECT_GT(over_tcp, 0U);
  for (int i = 1; i <= 200; ++i) records.push_back({kAaaa, "fd00::" + std::to_string(i)});
  const Outcome both = outcome_of(counting);
  EXPECT_EQ(both.count, net::Resolver::kAddressesMax);
  EXPECT_NE(both.text.find("[fd00::"), std::string::npos) << both.text;
  EXPECT_NE(both.text.find("127.0.1."), std::string::npos) << both.text;
}

TEST(ResolverAnswersTest, WhatIsNoAddressIsToldAtOnce) {
  const std::pair<const char*, unsigned> kAnswers[] = {
      {"no data", 0}, {"no such name", kNxDomain}, {"failed", kServFail}, {"refused", kRefused}};
  for (const auto& [what, code] : kAnswers) {
    const unsigned rcode = code;
    const Outcome none =
        outcome_of([=](const Question& question) { return answer(question, {}, rcode); });
    EXPECT_EQ(none.count, 0U) << what;
    EXPECT_TRUE(none.text.starts_with("cannot resolve 'f.test': ")) << what << ": " << none.text;
    EXPECT_LT(none.took(), 1s) << what;
  }
}

// The second server is asked well before anybody's patience is over.
TEST(ResolverAnswersTest, ASilentServerIsPassedOver) {
  const Responder silent([](const Question&) { return Responder::kSilence; });
  Responder other(with({{kA, "127.0.0.2"}}));
  ResolverWorld world({.servers = {silent.address(), other.address()}}, &other);
  const Outcome found = world.resolved("f.test");
  EXPECT_EQ(found.text, "127.0.0.2");
  EXPECT_LT(found.took(), 1s);
}

TEST(ResolverAnswersTest, AServerThatIsNotThereIsToldWithinASecond) {
  net::Address gone;
  {
    gone = Responder([](const Question&) { return Responder::kSilence; }).address();
  }
  ResolverWorld world({.servers = {gone}});
  const Outcome none = world.resolved("f.test");
  EXPECT_EQ(none.count, 0U) << none.text;
  EXPECT_LT(none.took(), 1500ms);
}

// An answer to nobody's question: another number, name or type. The right one comes after it.
TEST(ResolverAnswersTest, AnAnswerToAnotherQuestionIsNone) {
  Responder responder([](const Question&) { return Responder::kSilence; });
  const auto forged = [&](const Question& question) {
    Question other = question;
    switch (responder.look_ups(question.name, question.type) % 3) {
      case 0: other.message[0] = static_cast<char>(other.message[0] ^ 1); break;
      case 1: other.message[13] = 'g'; break;
      default: other.message[0] = static_cast<char>(other.message[0] ^ 2); break;
    }
    return answer(other, {{kA, "127.0.0.66"}});
  };
  ResolverWorld world({.servers = {responder.address()}}, &responder);
  for (const char* name : {"f.test", "f.test.test", "f.more.test"}) {
    bool first = true;
    responder.script = [&](const Question& question) {
      if (std::exchange(first, false)) return forged(question);
      return with({{kA, "127.0.0.2"}})(question);
    };
    EXPECT_EQ(world.resolved(name).text, "127.0.0.2") << name;
  }
}

TEST(ResolverAnswersTest, MalformedAnswersAreNoAnswer) {
  const std::pair<const char*, Responder::Script> kMalformed[] = {
      {"empty", [](const Question&) { return std::string(); }},
      {"one byte", [](const Question& question) { return question.message.substr(0, 1); }},
      {"the number alone", [](const Question& question) { return question.message.substr(0, 2); }},
      {"a head that promises records",
       [](const Question& question) {
         std::string message = answer(question, {});
         message[7] = '\xff';
         return message;
       }},
      {"cut within its address",
       [](const Question& question) {
         const std::string message = answer(question, {{kA, "127.0.0.66"}});
         return message.substr(0, message.size() - 2);
       }},
      {"a name that points at itself",
       [](const Question& question) {
         std::string message = answer(question, {{kA, "127.0.0.66"}});
         message[message.size() - 15] = static_cast<char>(message.size() - 16);
         return message;
       }},
      {"an address of another length",
       [](const Question& question) {
         std::string message = answer(question, {{kA, "127.0.0.66"}});
         message[message.size() - 5] = 3;
         return message;
       }},
      {"the question itself", [](const Question& question) { return question.message; }},
  };
  for (const auto& [what, script] : kMalformed) {
    const Outcome none = outcome_of(script);
    EXPECT_EQ(none.count, 0U) << what << ": " << none.text;
    EXPECT_LT(none.took(), 1500ms) << what;
  }
}

// Whatever comes: the resolver goes on, and the sanitizers find nothing.
TEST(ResolverAnswersTest, RandomlyDamagedAnswersDoNoHarm) {
  constexpr size_t kBatch = 250;
  Random random(random_seed());
  Responder responder([](const Question&) { return Responder::kSilence; });
  const auto damaged = [&](const Question& question) {
    std::vector<Record> records(1 + random.below(20), {kA, "127.0.0.2"});
    if (question.type == kAaaa) records.assign(records.size(), {kAaaa, "::1"});
    records.insert(records.begin(), {kCname, "other.test", 7});
    std::string message = answer(question, records);
    for (uint64_t left = random.below(8); left > 0; --left) {
      message[2 + random.below(message.size() - 2)] = static_cast<char>(random.below(256));
    }
    if (random.below(4) == 0) message.resize(random.below(message.size()));
    return message;
  };
  ResolverWorld world({.servers = {responder.address()}}, &responder);
  for (size_t done = 0; done < 1000; done += kBatch) {
    responder.script = damaged;
    std::vector<Outcome> batch(kBatch);
    for (size_t i = 0; i < kBatch; ++i) {
      world.resolve("f" + std::to_string(done + i) + ".test", batch[i]);
      // Not more at once than fits into the sockets' buffers.
      if (i % 20 == 0) world.pass(world.ring().now() + 4ms);
    }
    for (const Outcome& each : batch) ASSERT_TRUE(world.until([&] { return each.done; }));
  }
  responder.script = with({{kA, "127.0.0.2"}});
  EXPECT_EQ(world.resolved("whole.test").text, "127.0.0.2");
}

}  // namespace
}  // namespace fnkit::test
