// Every setting of `serve`: CONTRACT sections 1 and 5.
#include "cli/serve_options.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace fnkit {
namespace {

using namespace std::chrono_literals;
using cli::FlagValues;
using server::Settings;

class ServeOptionsTest : public testing::Test {
 protected:
  ServeOptionsTest() { clear(); }
  ~ServeOptionsTest() override { clear(); }

  void clear() {
    for (const cli::ServeOption& option : cli::serve_options()) {
      ::unsetenv(std::string(option.environment).c_str());
    }
    ::unsetenv("FNKIT_AUTH_TOKEN");
  }
  static void environment(const char* name, const char* value) { ::setenv(name, value, 1); }
  static Settings settings(const FlagValues& flags = {}) {
    Result<Settings> made = cli::make_settings(flags);
    EXPECT_TRUE(made) << (made ? "" : made.error().message);
    return made ? std::move(*made) : Settings();
  }
  static std::string error(const FlagValues& flags) {
    Result<Settings> made = cli::make_settings(flags);
    return made ? "no error" : made.error().message;
  }
};

TEST_F(ServeOptionsTest, TheDefaultsAreTheContracts) {
  const Settings made = settings();
  ASSERT_EQ(made.listen.size(), 1U);
  EXPECT_EQ(made.listen.front().to_text(), "127.0.0.1:3000");
  EXPECT_FALSE(made.admin_listen);
  EXPECT_EQ(made.store.to_text(), "redis://fnkit-cache:6379");
  EXPECT_EQ(made.step_url.target_of("f").authority, "f:8080");
  EXPECT_TRUE(made.resolve.empty());
  EXPECT_TRUE(made.dns.servers.empty());
  EXPECT_EQ(made.dns.ttl_min, 1s);
  EXPECT_EQ(made.dns.ttl_max, 30s);
  EXPECT_EQ(made.dns.failure_ttl, 1s);
  EXPECT_EQ(made.dns.stale_max, 60s);
  EXPECT_TRUE(made.tokens.open_mode());
  EXPECT_FALSE(made.cpus.empty());
  const http::MessageLimits& limits = made.callers.limits;
  EXPECT_EQ(limits.target_bytes_max, 8U << 10);
  EXPECT_EQ(limits.head_bytes_max, 16U << 10);
  EXPECT_EQ(limits.header_lines_max, 100U);
  EXPECT_EQ(limits.body_bytes_max, 16U << 20);
  EXPECT_EQ(made.functions.limits.body_bytes_max, 64U << 20);
  EXPECT_EQ(made.merged_bytes_max, 64U << 20);
  EXPECT_EQ(made.callers.head_timeout, 10s);
  EXPECT_EQ(made.callers.body_timeout, 30s);
  EXPECT_EQ(made.callers.idle_timeout, 75s);
  EXPECT_EQ(made.callers.write_timeout, 30s);
  EXPECT_EQ(made.functions.write_timeout, 30s);
  EXPECT_EQ(made.connections_max, 16U << 10);
  EXPECT_EQ(made.requests_max, 4096U);
  EXPECT_EQ(made.held_bytes_max, 512U << 20);
  EXPECT_EQ(made.functions.connect_timeout, 5s);
  EXPECT_EQ(made.step_timeout, 30s);
  EXPECT_EQ(made.pipeline_timeout, 60s);
  EXPECT_EQ(made.functions.connections_max, 64U);
  EXPECT_EQ(made.functions.waiting_max, 1024U);
  EXPECT_EQ(made.functions.idle_timeout, 1500ms);
  EXPECT_EQ(made.functions.idle_timeout_max, 60s);
  EXPECT_EQ(made.drain_timeout, 30s);
  EXPECT_EQ(made.refresh_interval, 30s);
  EXPECT_TRUE(made.callers.cancel_when_caller_leaves);
}

TEST_F(ServeOptionsTest, AFlagGoesBeforeTheEnvironmentAndThatBeforeTheDefault) {
  EXPECT_EQ(settings().step_timeout, 30s);
  environment("FNKIT_STEP_TIMEOUT", "7s");
  EXPECT_EQ(settings().step_timeout, 7s);
  EXPECT_EQ(settings({{"--step-timeout", {"3s"}}}).step_timeout, 3s);
  environment("FNKIT_STEP_TIMEOUT", "");
  EXPECT_EQ(settings().step_timeout, 30s);
  environment("CACHE_URL", "unix:///run/valkey.sock?db=2");
  EXPECT_EQ(settings().store.path, "/run/valkey.sock");
  EXPECT_EQ(settings({{"--cache-url", {"file:///dir"}}}).store.path, "/dir");
}

TEST_F(ServeOptionsTest, RepeatedFlagsAndListsInTheEnvironment) {
  const Settings flags = settings({{"--listen", {"127.0.0.1:1", "[::1]:2", "unix:/run/s"}},
                                   {"--resolve", {"a=127.0.0.1:8001", "b=host:8002"}},
                                   {"--dns-server", {"127.0.0.1:53", "[::1]:5353"}},
                                   {"--forward-header", {"X-Tenant", "authorization"}}});
  ASSERT_EQ(flags.listen.size(), 3U);
  EXPECT_EQ(flags.listen[2].to_text(), "unix:/run/s");
  EXPECT_EQ(flags.resolve.at("a").to_text(), "127.0.0.1:8001");
  EXPECT_EQ(flags.resolve.at("b").to_text(), "host:8002");
  ASSERT_EQ(flags.dns.servers.size(), 2U);
  EXPECT_EQ(flags.dns.servers[1].to_text(), "[::1]:5353");
  EXPECT_EQ(flags.forward_headers, (std::vector<std::string>{"x-tenant", "authorization"}));
  environment("FNKIT_LISTEN", "127.0.0.1:1, 127.0.0.1:2");
  environment("FNKIT_RESOLVE", "a=127.0.0.1:8001,c=unix:/run/c");
  environment("FNKIT_DNS_SERVER", "127.0.0.1:53,127.0.0.2:53,[::1]:53");
  EXPECT_EQ(settings().listen.size(), 2U);
  EXPECT_EQ(settings().dns.servers.size(), 3U);
  EXPECT_EQ(settings().resolve.at("c").to_text(), "unix:/run/c");
}

TEST_F(ServeOptionsTest, AnErrorNamesTheFlagOrTheVariableAndTheValue) {
  const std::pair<const char*, const char*> kBad[] = {
      {"--listen", "nowhere"},        {"--listen", "127.0.0.1:70000"},
      {"--admin-listen", "x"},        {"--cache-url", "http://x"},
      {"--cores", "99999"},           {"--cores", "0"},
      {"--step-url", "ftp://{step}"}, {"--resolve", "nothing"},
      {"--resolve", "127.0.0.1=a:1"}, {"--forward-header", "a b"},
      {"--forward-header", "Host"},   {"--on-disconnect", "maybe"},
      {"--log-format", "xml"},        {"--auth-token-file", "/nonexistent"},
      {"--step-timeout", "soon"},     {"--body-max", "huge"},
      {"--requests-max", "-1"},       {"--step-connections-max", "0"},
      {"--dns-server", "127.0.0.1"},  {"--dns-server", "ns.example:53"},
      {"--dns-server", ":53"},        {"--dns-server", "127.0.0.1:0"},
      {"--dns-server", "unix:/s"},    {"--dns-server", "::1:53"}};
  for (const auto& [flag, value] : kBad) {
    const std::string message = error({{flag, {value}}});
    EXPECT_TRUE(message.starts_with(std::string(flag) + ": ")) << message;
    EXPECT_NE(message.find(value), std::string::npos) << message;
  }
  environment("FNKIT_STEP_TIMEOUT", "soon");
  EXPECT_TRUE(error({}).starts_with("FNKIT_STEP_TIMEOUT: 'soon'")) << error({});
}

TEST_F(ServeOptionsTest, ATokenComesFromAFileOrTheEnvironment) {
  environment("FNKIT_AUTH_TOKEN", "from-environment");
  EXPECT_TRUE(settings().tokens.accept("Bearer from-environment"));
  const std::string path = testing::TempDir() + "fnkit-token-" + std::to_string(getpid());
  std::ofstream(path) << "from-file\n";
  const Settings made = settings({{"--auth-token-file", {path}}});
  EXPECT_TRUE(made.tokens.accept("Bearer from-file"));
  EXPECT_FALSE(made.tokens.accept("Bearer from-environment"));
  EXPECT_EQ(made.token_file, path);
  ::unlink(path.c_str());
}

// HTTP.md section 10: an empty token must not open what was meant to be closed.
TEST_F(ServeOptionsTest, ABlankTokenIsRefused) {
  environment("FNKIT_AUTH_TOKEN", " \t");
  EXPECT_TRUE(error({}).starts_with("FNKIT_AUTH_TOKEN: ")) << error({});
}

// Each limit of CONTRACT section 5 can be set, by both ways, and is named in --help.
TEST_F(ServeOptionsTest, EverySettingOfTheContractExists) {
  for (const std::string name : {"listen",           "admin-listen",      "cores",
                                 "step-url",         "resolve",           "forward-header",
                                 "on-disconnect",    "target-max",        "head-max",
                                 "header-lines-max", "body-max",          "answer-max",
                                 "merged-max",       "head-timeout",      "body-timeout",
                                 "idle-timeout",     "write-timeout",     "connections-max",
                                 "requests-max",     "held-max",          "connect-timeout",
                                 "step-timeout",     "pipeline-timeout",  "step-connections-max",
                                 "step-waiting-max", "step-idle-timeout", "drain-timeout",
                                 "refresh-interval", "log-format"}) {
    std::string variable = "FNKIT_";
    for (const char c : name) variable += c == '-' ? '_' : static_cast<char>(std::toupper(c));
    const auto options = cli::serve_options();
    const auto found = std::find_if(options.begin(), options.end(), [&](const auto& option) {
      return option.flag == "--" + name && option.environment == variable;
    });
    ASSERT_NE(found, options.end()) << name;
    const std::string help = cli::help_text(*found);
    EXPECT_NE(help.find(variable), std::string::npos) << help;
    EXPECT_NE(help.find(found->default_text), std::string::npos) << help;
  }
}

}  // namespace
}  // namespace fnkit
