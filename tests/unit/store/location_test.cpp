#include <gtest/gtest.h>

#include "fnkit/store/store.hpp"

namespace fnkit::store {
namespace {

using Kind = Location::Kind;
using Hosts = std::vector<net::HostPort>;

Location parsed(std::string_view url) {
  Result<Location> location = parse_location(url);
  EXPECT_TRUE(location) << url << ": " << (location ? "" : location.error().message);
  return location ? *location : Location();
}

std::string refused(std::string_view url) {
  Result<Location> location = parse_location(url);
  EXPECT_FALSE(location) << url;
  return location ? "" : location.error().message;
}

TEST(Location, TheShortestHasTheDefaults) {
  const Location location = parsed("redis://fnkit-cache");
  EXPECT_EQ(location.kind, Kind::tcp);
  EXPECT_EQ(location.hosts, (Hosts{{"fnkit-cache", 6379}}));
  EXPECT_EQ(location.database, 0U);
  EXPECT_EQ(location.user + location.password, "");
}

TEST(Location, EveryPartOfAServer) {
  const Location location = parsed("valkey://us%65r:p%40ss%3aw%2Frd%00@[::1]:7000/15");
  EXPECT_EQ(location.user, "user");
  EXPECT_EQ(location.password, std::string("p@ss:w/rd\0", 10));
  EXPECT_EQ(location.hosts, (Hosts{{"::1", 7000}}));
  EXPECT_EQ(location.database, 15U);
  EXPECT_EQ(location.to_text(), "valkey://user@[::1]:7000/15");
}

TEST(Location, APasswordWithoutAUser) {
  const Location location = parsed("redis://:secret@cache:6379/");
  EXPECT_EQ(location.user, "");
  EXPECT_EQ(location.password, "secret");
  EXPECT_EQ(location.to_text(), "redis://cache:6379");
}

TEST(Location, APasswordMayHoldColonsAndAts) {
  EXPECT_EQ(parsed("redis://u:a:b@c@cache").password, "a:b@c");
}

TEST(Location, TlsIsAskedForByTheScheme) {
  EXPECT_FALSE(parsed("redis://cache").tls);
  EXPECT_FALSE(parsed("valkey+sentinel://s/m").tls);
  for (const char* url : {"rediss://c", "VALKEYS://c", "rediss+sentinel://s/m"}) {
    EXPECT_TRUE(parsed(url).tls) << url;
  }
  EXPECT_EQ(parsed("rediss://c/1").to_text(), "rediss://c:6379/1");
}

TEST(Location, Sentinels) {
  const Location location = parsed("redis+sentinel://u:p@one,[::1],two:7000/my%2Fmaster/3");
  EXPECT_EQ(location.kind, Kind::sentinel);
  EXPECT_EQ(location.hosts, (Hosts{{"one", 26379}, {"::1", 26379}, {"two", 7000}}));
  EXPECT_EQ(location.primary, "my/master");
  EXPECT_EQ(location.user, "u");
  EXPECT_EQ(location.password, "p");
  EXPECT_EQ(location.database, 3U);
  EXPECT_EQ(location.to_text(), "redis+sentinel://u@one:26379,[::1]:26379,two:7000/my%2Fmaster/3");
  EXPECT_EQ(parsed("valkey+sentinel://s/m/").database, 0U);
}

TEST(Location, Sockets) {
  const Location location = parsed("unix:///run/valkey%20a/socket?db=3");
  EXPECT_EQ(location.kind, Kind::unix_socket);
  EXPECT_EQ(location.path, "/run/valkey a/socket");
  EXPECT_EQ(location.database, 3U);
  EXPECT_EQ(parsed("unix:///s").database, 0U);
  EXPECT_EQ(parsed("unix://u:p@/s").password, "p");
}

TEST(Location, Directories) {
  const Location location = parsed("file:///var/pipelines/");
  EXPECT_EQ(location.kind, Kind::directory);
  EXPECT_EQ(location.path, "/var/pipelines");
  EXPECT_EQ(parsed("FILE:///").path, "/");
}

TEST(Location, TheErrorNamesThePart) {
  EXPECT_NE(refused("cache:6379").find("begins with none of"), std::string::npos);
  EXPECT_NE(refused("http://cache").find("scheme is none of"), std::string::npos);
  EXPECT_NE(refused("redisss://cache").find("scheme is none of"), std::string::npos);
  EXPECT_NE(refused("redis+sentinels://s/m").find("scheme is none of"), std::string::npos);
  EXPECT_NE(refused("file+sentinel://s/m").find("scheme is none of"), std::string::npos);
  EXPECT_NE(refused("redis+sentinel://s").find("no primary"), std::string::npos);
  EXPECT_NE(refused("redis+sentinel://s/").find("no primary"), std::string::npos);
  EXPECT_NE(refused("redis+sentinel://s//0").find("no primary"), std::string::npos);
  EXPECT_NE(refused("redis+sentinel://s,/m").find("no host"), std::string::npos);
  EXPECT_NE(refused("redis+sentinel:///m").find("no host"), std::string::npos);
  EXPECT_NE(refused("redis+sentinel://u:p@/m").find("no host"), std::string::npos);
  EXPECT_NE(refused("redis+sentinel://s,t:x/m").find("port"), std::string::npos);
  EXPECT_NE(refused("redis+sentinel://s/m/x").find("database"), std::string::npos);
  EXPECT_NE(refused("redis://").find("no host"), std::string::npos);
  EXPECT_NE(refused("redis://:6379").find("no host"), std::string::npos);
  EXPECT_NE(refused("redis://c:0").find("port"), std::string::npos);
  EXPECT_NE(refused("redis://c:65536").find("port"), std::string::npos);
  EXPECT_NE(refused("redis://c:").find("port"), std::string::npos);
  EXPECT_NE(refused("redis://::1").find("IPv6"), std::string::npos);
  EXPECT_NE(refused("redis://[::1").find("]"), std::string::npos);
  EXPECT_NE(refused("redis://c/x").find("database"), std::string::npos);
  EXPECT_NE(refused("redis://c/-1").find("database"), std::string::npos);
  EXPECT_NE(refused("redis://c/99999999999999999999").find("database"), std::string::npos);
  EXPECT_NE(refused("redis://c/0?x=1").find("nothing may follow"), std::string::npos);
  EXPECT_NE(refused("unix://run/s").find("three slashes"), std::string::npos);
  EXPECT_NE(refused("unix:///s?x=1").find("?db=N"), std::string::npos);
  EXPECT_NE(refused("unix:///s?db=x").find("database"), std::string::npos);
  EXPECT_NE(refused("file://dir").find("three slashes"), std::string::npos);
  EXPECT_NE(refused("unix:///" + std::string(200, 'x')).find("bytes"), std::string::npos);
}

TEST(Location, NoErrorShowsAPassword) {
  for (const char* url : {"redis://u:hunter2%zz@c", "redis://:hunter2", "redis://u:hunter2/x@c",
                          "redis://u:hunter2#@c:1", "redis://u:hunter2@c:x", "u:hunter2@c",
                          "http://u:hunter2@c", "unix://u:hunter2@s", "redis://u:hunter2@c/x"}) {
    EXPECT_EQ(refused(url).find("hunter"), std::string::npos) << refused(url);
  }
  EXPECT_EQ(parsed("redis://u:hunter2@c").to_text().find("hunter"), std::string::npos);
}

}  // namespace
}  // namespace fnkit::store
