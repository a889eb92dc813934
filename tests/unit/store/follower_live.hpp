// A follower beside a real server, for the tests of followers. Nothing here waits for a time: each
// step waits for what it expects to see.
#pragma once

#include <gtest/gtest.h>

#include "live.hpp"

namespace fnkit::test {

using namespace std::chrono_literals;

inline const std::string kPrefix = "fnkit:pipeline:";

class FollowerLive : public ::testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    program_ = find_server(GetParam());
    ASSERT_FALSE(program_.empty()) << GetParam() << " is nowhere; tests/run fetches it";
  }

  void begin(std::vector<std::string> options = {}, const std::string& password = "") {
    server_ = std::make_unique<Server>(program_, std::move(options));
    live_.connect(server_->socket(), password);
  }
  void follow(Duration refresh = 30s) { follow(server_->url(), refresh); }
  void follow(const std::string& url, Duration refresh = 30s) {
    live_.follow(url, refresh);
    ASSERT_TRUE(live_.until([this] { return live_.status().connected; })) << live_.status().trouble;
  }
  // A user, and the URL of the server for it.
  std::string user(const std::vector<std::string>& rules) {
    valkey::Command acl = {"ACL", "SETUSER", "worker", "on", ">pass/word", "~*", "&*", "+@all"};
    acl.insert(acl.end(), rules.begin(), rules.end());
    EXPECT_FALSE(live_.ask(acl).is_error());
    return "unix://worker:pass%2Fword@" + server_->socket();
  }
  Published& published() { return live_.published(); }
  bool step_becomes(const std::string& name, const std::string& step) {
    return live_.until([&] { return published().step(name) == step; });
  }
  bool goes(const std::string& name) {
    return live_.until([&] { return !published().has(name); });
  }
  void sees_sets_and_flushes() {
    live_.set("a", config("one"));
    EXPECT_TRUE(step_becomes("a", "one"));
    live_.set("a", config("two"));
    EXPECT_TRUE(step_becomes("a", "two"));
    live_.ask({"FLUSHALL"});
    EXPECT_TRUE(goes("a"));
  }

  std::string program_;
  std::unique_ptr<Server> server_;
  Live live_;
};

// "Valkey" or "Redis", for the names of tests.
inline std::string server_name(const ::testing::TestParamInfo<const char*>& server) {
  return std::string(server.param) == "valkey-server" ? "Valkey" : "Redis";
}

}  // namespace fnkit::test
