// Against dnsmasq, as containers have it in front of them.
#include <gtest/gtest.h>
#include <signal.h>

#include "resolver_world.hpp"

namespace fnkit::test {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kTtl = 1;
// From when a change was made: its TTL, the second that is promised, and a slow machine.
constexpr Duration kChangeMax = 2s + 800ms;

class ResolverLiveTest : public testing::Test {
 protected:
  DnsServer server_{
      "127.0.0.2 one.test\n"
      "127.0.0.2 both.test\n"
      "::1 both.test\n"
      "::1 six.test\n",
      kTtl};
  ResolverWorld world_{{.servers = {server_.address()}, .stale_max = 4s}};
};

TEST_F(ResolverLiveTest, Addresses) {
  EXPECT_EQ(world_.resolved("one.test").text, "127.0.0.2");
  EXPECT_EQ(world_.resolved("both.test").text, "127.0.0.2 [::1]");
  EXPECT_EQ(world_.resolved("six.test").text, "[::1]");
  EXPECT_EQ(world_.resolved("alias.test").text, "127.0.0.2 [::1]");
  const Outcome fresh = world_.resolved("one.test");
  EXPECT_GT(fresh.fresh_until, fresh.answered);
  EXPECT_LE(fresh.fresh_until, fresh.answered + 1s * kTtl);
}

TEST_F(ResolverLiveTest, NoSuchNameNoAddressAndARefusal) {
  for (const char* name : {"none.test", "text.test", "elsewhere.invalid"}) {
    const Outcome none = world_.resolved(name);
    EXPECT_TRUE(none.text.starts_with("cannot resolve '" + std::string(name) + "': ")) << none.text;
    EXPECT_LT(none.took(), 1s) << name;
  }
}

TEST_F(ResolverLiveTest, TwoHundredAddressesComeOverTcp) {
  std::string hosts;
  for (int i = 1; i <= 200; ++i) hosts += "127.0.1." + std::to_string(i) + " many.test\n";
  server_.change(hosts);
  EXPECT_TRUE(world_.until([&] { return world_.resolved("many.test").count == 64; }));
}

TEST_F(ResolverLiveTest, AChangedAddressIsUsedWhileItsNameIsInConstantUse) {
  ASSERT_EQ(world_.resolved("one.test").text, "127.0.0.2");
  server_.change("127.0.0.3 one.test\n");
  const Instant changed = world_.ring().now();
  const auto is_new = [&] {
    const Outcome found = world_.resolved("one.test");
    EXPECT_EQ(found.count, 1U) << found.text;
    return found.text == "127.0.0.3";
  };
  EXPECT_TRUE(world_.until(is_new));
  EXPECT_LT(world_.ring().now() - changed, kChangeMax);
}

TEST_F(ResolverLiveTest, AChangedAddressIsUsedWhereNobodyAskedInBetween) {
  ASSERT_EQ(world_.resolved("one.test").text, "127.0.0.2");
  server_.change("127.0.0.3 one.test\n");
  world_.pass(world_.ring().now() + kChangeMax);
  EXPECT_EQ(world_.resolved("one.test").text, "127.0.0.3");
}

TEST_F(ResolverLiveTest, ANameThatIsTakenAwayIsGone) {
  ASSERT_EQ(world_.resolved("one.test").text, "127.0.0.2");
  server_.change("");
  const Instant changed = world_.ring().now();
  EXPECT_TRUE(world_.until([&] { return world_.resolved("one.test").count == 0; }));
  EXPECT_LT(world_.ring().now() - changed, kChangeMax);
}

TEST_F(ResolverLiveTest, AServerThatHangsIsOutlived) {
  const Outcome known = world_.resolved("one.test");
  ASSERT_EQ(known.text, "127.0.0.2");
  server_.signal(SIGSTOP);
  const Outcome unknown = world_.resolved("both.test");
  EXPECT_EQ(unknown.text, "cannot resolve 'both.test': no answer from DNS within 1 s");
  EXPECT_LT(unknown.took(), 1500ms);
  while (world_.ring().now() < known.fresh_until + 2500ms) {
    const Outcome stale = world_.resolved("one.test");
    ASSERT_EQ(stale.text, "127.0.0.2");
    world_.pass(world_.ring().now() + 100ms);
  }
  world_.pass(known.fresh_until + 4s);
  EXPECT_EQ(world_.resolved("one.test").count, 0U);
  server_.signal(SIGCONT);
  EXPECT_TRUE(world_.until([&] { return world_.resolved("one.test").text == "127.0.0.2"; }));
}

}  // namespace
}  // namespace fnkit::test
