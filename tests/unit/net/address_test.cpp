#include "fnkit/net/address.hpp"

#include <gtest/gtest.h>

#include <array>

namespace fnkit {
namespace {

using net::Address;
using net::parse_host_port;

TEST(AddressTest, IsReadAndWrittenAlike) {
  struct Case {
    std::string_view text;
    std::string_view written;
    int family;
    uint16_t port;
  };
  const Case cases[] = {
      {"127.0.0.1:80", "127.0.0.1:80", AF_INET, 80},
      {":8080", "0.0.0.0:8080", AF_INET, 8080},
      {"0.0.0.0:0", "0.0.0.0:0", AF_INET, 0},
      {"255.255.255.255:65535", "255.255.255.255:65535", AF_INET, 65535},
      {"[::1]:80", "[::1]:80", AF_INET6, 80},
      {"[0:0:0:0:0:0:0:1]:1", "[::1]:1", AF_INET6, 1},
      {"[2001:DB8::A]:443", "[2001:db8::a]:443", AF_INET6, 443},
      {"[::ffff:10.0.0.1]:5", "[::ffff:10.0.0.1]:5", AF_INET6, 5},
      {"unix:/run/x.sock", "unix:/run/x.sock", AF_UNIX, 0},
      {"unix:relative", "unix:relative", AF_UNIX, 0},
  };
  for (const Case& c : cases) {
    Result<Address> address = Address::parse(c.text);
    ASSERT_TRUE(address) << c.text << ": " << address.error().message;
    EXPECT_EQ(address->to_text(), c.written);
    EXPECT_EQ(address->family(), c.family);
    EXPECT_EQ(address->port(), c.port);
    EXPECT_EQ(address->is_unix(), c.family == AF_UNIX);
  }
}

TEST(AddressTest, WhatIsNoAddressIsRefusedWithItsText) {
  const std::string_view cases[] = {
      "",
      "localhost:80",
      "127.0.0.1",
      "127.0.0.1:",
      "127.0.0.1:65536",
      "127.1:80",
      "127.0.0.1:-1",
      "127.0.0.1:+1",
      "127.0.0.1: 80",
      "127.0.0.1:80 ",
      "::1:80",
      "[::1]",
      "[::1",
      "[::1]80",
      "[::1]:",
      "[]:80",
      "[fe80::1%1]:1",
      "unix:",
      "256.0.0.1:80",
      "1.2.3.4:18446744073709551696",
      "01.2.3.4:x",
      "[::1]:80:90",
      "1.2.3.4:0x50",
      std::string_view("1.2.3.4\0x:80", 12),
      std::string_view("unix:/run\0", 10),
  };
  for (const std::string_view text : cases) {
    Result<Address> address = Address::parse(text);
    ASSERT_FALSE(address) << "'" << text << "' was read as " << address->to_text();
    EXPECT_NE(address.error().message, "");
  }
}

TEST(AddressTest, AUnixPathMayHave107BytesAndNoMore) {
  const std::string path(107, 'p');
  Result<Address> longest = Address::parse("unix:" + path);
  ASSERT_TRUE(longest);
  EXPECT_EQ(longest->to_text(), "unix:" + path);
  EXPECT_FALSE(Address::parse("unix:p" + path));
}

TEST(AddressTest, FunctionsMayNotLiveEverywhere) {
  struct Case {
    std::string_view text;
    bool forbidden;
  };
  const Case cases[] = {
      {"169.254.0.0:1", true},
      {"169.254.169.254:80", true},
      {"169.254.255.255:1", true},
      {"169.253.255.255:1", false},
      {"169.255.0.0:1", false},
      {"0.0.0.0:1", true},
      {"0.1.2.3:1", true},
      {"1.0.0.0:1", false},
      {"127.0.0.1:1", false},
      {"10.1.2.3:1", false},
      {"192.168.0.1:1", false},
      {"223.255.255.255:1", false},
      {"224.0.0.1:1", true},
      {"239.1.1.1:1", true},
      {"240.0.0.1:1", true},
      {"255.255.255.255:1", true},
      {"[::]:1", true},
      {"[::1]:1", false},
      {"[fe80::1]:1", true},
      {"[febf::1]:1", true},
      {"[fec0::1]:1", false},
      {"[ff02::1]:1", true},
      {"[ff0e::1]:1", true},
      {"[2001:db8::1]:1", false},
      {"[fd00::1]:1", false},
      {"[::ffff:169.254.1.1]:1", true},
      {"[::ffff:0.0.0.0]:1", true},
      {"[::ffff:224.0.0.1]:1", true},
      {"[::ffff:10.0.0.1]:1", false},
      {"unix:/run/function.sock", false},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Address::parse(c.text)->is_forbidden_for_functions(), c.forbidden) << c.text;
  }
}

TEST(AddressTest, ThePortCanBeSet) {
  for (const std::string_view text : {"127.0.0.1:1", "[::1]:1"}) {
    Result<Address> address = Address::parse(text);
    address->set_port(0x1234);
    EXPECT_EQ(address->port(), 0x1234);
    EXPECT_EQ(address->to_text().substr(address->to_text().rfind(':')), ":4660");
  }
}

TEST(HostPortTest, SplitsWithoutLookingAnythingUp) {
  struct Case {
    std::string_view text;
    uint16_t default_port;
    std::string_view host;
    int port;  // -1: refused
  };
  const Case cases[] = {
      {"example.org:81", 80, "example.org", 81},
      {"example.org", 80, "example.org", 80},
      {"example.org", 0, "", -1},
      {"[::1]", 80, "::1", 80},
      {"[::1]:81", 80, "::1", 81},
      {"::1", 80, "", -1},
      {"a:b:80", 80, "", -1},
      {"host:", 80, "", -1},
      {"host:65536", 80, "", -1},
      {"[::1]x", 80, "", -1},
      {"[[]:0", 80, "", -1},
      {"[name]:1", 80, "", -1},
      {"a]:1", 80, "", -1},
  };
  for (const Case& c : cases) {
    Result<net::HostPort> parts = parse_host_port(c.text, c.default_port);
    ASSERT_EQ(static_cast<bool>(parts), c.port >= 0) << c.text;
    if (!parts) continue;
    EXPECT_EQ(parts->host, c.host) << c.text;
    EXPECT_EQ(parts->port, c.port) << c.text;
  }
}

}  // namespace
}  // namespace fnkit
