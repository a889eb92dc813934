// Where to listen or to connect: IPv4, IPv6 or a Unix socket.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "fnkit/base/result.hpp"

namespace fnkit::net {

// A value.
class Address {
 public:
  Address() = default;
  // The same bytes.
  bool operator==(const Address& other) const;
  // Copies `length` bytes.
  Address(const sockaddr* address, socklen_t length);

  // "127.0.0.1:80", "[::1]:80", ":80" (all of IPv4) or "unix:/path": numbers only, no names. The
  // error goes on where a quoted `text` ends: "lacks a ']'".
  static Result<Address> parse(std::string_view text);
  // The address `fd` is bound to.
  static Result<Address> of_socket(int fd);
  // The address at the other end of `fd`.
  static Result<Address> of_peer(int fd);

  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t length() const { return length_; }
  int family() const { return storage_.ss_family; }
  bool is_unix() const { return family() == AF_UNIX; }
  uint16_t port() const;
  void set_port(uint16_t port);

  // As parse() reads it.
  std::string to_text() const;

  // True for addresses that no function may have: link-local, multicast, unspecified (RFC 6890),
  // in IPv6 also where they are mapped IPv4.
  bool is_forbidden_for_functions() const;

 private:
  sockaddr_storage storage_{};
  socklen_t length_ = 0;
};

// "host:port" or "[v6]:port" into its parts, without looking anything up; `default_port` where
// there is none (0: one is required).
struct HostPort {
  std::string host;
  uint16_t port = 0;

  bool operator==(const HostPort&) const = default;
  std::string to_text() const;
};
Result<HostPort> parse_host_port(std::string_view text, uint16_t default_port);

}  // namespace fnkit::net
