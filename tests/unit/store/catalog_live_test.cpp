// The catalog against real servers, and what it says of those that refuse.
#include <gtest/gtest.h>

#include "live.hpp"

namespace fnkit::test {
namespace {

const std::string kPrefix = "fnkit:pipeline:";

class CatalogLive : public ::testing::TestWithParam<const char*> {
 protected:
  void begin(std::vector<std::string> options = {}) {
    const std::string program = find_server(GetParam());
    ASSERT_FALSE(program.empty()) << GetParam() << " is nowhere; tests/run fetches it";
    server_ = std::make_unique<Server>(program, std::move(options));
    live_.connect(server_->socket());
    open(server_->url());
  }
  void open(const std::string& url) {
    close();
    Result<store::Location> location = store::parse_location(url);
    ASSERT_TRUE(location);
    catalog_ = store::make_catalog(*location, live_.ring(), live_.resolver());
  }
  void close() {
    if (catalog_) live_.run(catalog_->close());
    catalog_.reset();
  }
  void TearDown() override { close(); }

  template <class T>
  T get(coro::Task<T> task) {
    std::optional<T> result;
    live_.run(fill(std::move(task), result));
    return std::move(*result);
  }
  template <class T>
  static coro::Task<void> fill(coro::Task<T> task, std::optional<T>& result) {
    T value = co_await task;
    result.emplace(std::move(value));
  }
  std::string put_failure() {
    const Result<void> put = get(catalog_->put("a", "{}"));
    return put ? "" : put.error().message;
  }

  std::unique_ptr<Server> server_;
  Live live_;
  std::unique_ptr<store::Catalog> catalog_;
};

TEST_P(CatalogLive, WhatIsPutIsListedReadAndRemoved) {
  begin();
  EXPECT_TRUE(get(catalog_->list())->empty());
  EXPECT_FALSE(*get(catalog_->get("a")));
  ASSERT_TRUE(get(catalog_->put("b", config("b"))));
  ASSERT_TRUE(get(catalog_->put("a", "")));
  live_.ask({"SADD", kPrefix + "set", "x"});
  live_.ask({"SET", "fnkit:other", "x"});
  live_.ask({"SETRANGE", kPrefix + "zlarge", "100000", "x"});
  const auto list = get(catalog_->list());
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 4U);
  EXPECT_EQ((*list)[0].name, "a");
  EXPECT_EQ((*list)[0].config + (*list)[0].unreadable, "");
  EXPECT_EQ((*list)[1].config, config("b"));
  EXPECT_NE((*list)[2].unreadable.find("no string"), std::string::npos);
  EXPECT_NE((*list)[3].unreadable.find("65536"), std::string::npos);
  EXPECT_EQ((*get(catalog_->get("a")))->config, "");
  EXPECT_TRUE(*get(catalog_->remove("set")));
  EXPECT_FALSE(*get(catalog_->remove("set")));
}

TEST_P(CatalogLive, ManyAreListedInOrder) {
  begin();
  const std::string fill = "for i=1,3000 do redis.call('set','fnkit:pipeline:n'..i,ARGV[1]) end";
  live_.ask({"EVAL", fill, "0", config("one")});
  const auto list = get(catalog_->list());
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 3000U);
  for (size_t i = 1; i < list->size(); ++i) EXPECT_LT((*list)[i - 1].name, (*list)[i].name);
}

TEST_P(CatalogLive, AConnectionThatEndedIsReplaced) {
  begin();
  ASSERT_TRUE(get(catalog_->put("a", config("one"))));
  live_.ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  live_.ask({"PING"});
  ASSERT_TRUE(live_.until([this] { return get(catalog_->get("a")) ? true : false; }));
}

TEST_P(CatalogLive, RefusalsAreSaidPlainly) {
  begin();
  live_.ask({"REPLICAOF", "127.0.0.1", "1"});
  EXPECT_NE(put_failure().find("it is a read-only replica"), std::string::npos) << put_failure();
  live_.ask({"REPLICAOF", "NO", "ONE"});
  live_.ask({"ACL", "SETUSER", "reader", "on", ">x", "~*", "-@all", "+get"});
  open("unix://reader:x@" + server_->socket());
  EXPECT_NE(put_failure().find("may not do that"), std::string::npos) << put_failure();
  open("unix://reader:y@" + server_->socket());
  EXPECT_NE(put_failure().find("refuses the user name or password"), std::string::npos)
      << put_failure();
  open(server_->url() + "?db=5000");
  EXPECT_NE(put_failure().find("no database of that number"), std::string::npos) << put_failure();
  live_.ask({"CONFIG", "SET", "requirepass", "secret"});
  open(server_->url());
  EXPECT_NE(put_failure().find("it asks for a password"), std::string::npos) << put_failure();
  EXPECT_EQ(put_failure().find(server_->url() + ": "), 0U) << put_failure();
  open("unix://:secret@" + server_->socket());
  EXPECT_EQ(put_failure(), "");
}

TEST_P(CatalogLive, ClusterModeIsRefused) {
  begin({"--cluster-enabled", "yes"});
  EXPECT_NE(put_failure().find("cluster mode"), std::string::npos) << put_failure();
}

TEST_P(CatalogLive, AServerThatIsAwayIsNamed) {
  begin();
  live_.disconnect();
  server_->kill();
  EXPECT_EQ(put_failure().find(server_->url() + ": "), 0U) << put_failure();
  EXPECT_NE(put_failure().find("Connection refused"), std::string::npos) << put_failure();
}

INSTANTIATE_TEST_SUITE_P(Servers, CatalogLive, ::testing::Values("valkey-server", "redis-server"),
                         [](const auto& server) {
                           return std::string(server.param) == "valkey-server" ? "Valkey" : "Redis";
                         });

}  // namespace
}  // namespace fnkit::test
