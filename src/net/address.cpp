#include "fnkit/net/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "fnkit/base/text.hpp"

namespace fnkit::net {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

Result<Address> parse_unix(std::string_view path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool fits = !path.empty() && path.size() < sizeof address.sun_path;
  if (!fits || path.find('\0') != path.npos) {
    return Error{"needs a path of 1 to " + std::to_string(sizeof address.sun_path - 1) +
                 " bytes, none of them NUL, after unix:"};
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return Address(reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1));
}

bool is_forbidden_v4(uint32_t host_order) {
  const uint32_t first = host_order >> 24;
  return first == 0 || first >= 224 || (host_order >> 16) == 0xa9fe;  // 169.254/16
}

}  // namespace

bool Address::operator==(const Address& other) const {
  return length_ == other.length_ && std::memcmp(&storage_, &other.storage_, length_) == 0;
}

Address::Address(const sockaddr* address, socklen_t length) : length_(length) {
  REQUIRE(length <= sizeof storage_);
  std::memcpy(&storage_, address, length);
}

Result<Address> Address::parse(std::string_view text) {
  if (text.substr(0, kUnixPrefix.size()) == kUnixPrefix) {
    return parse_unix(text.substr(kUnixPrefix.size()));
  }
  Result<HostPort> parts = parse_host_port(text, 0);
  if (!parts) return parts.error();
  if (parts->host.find('\0') != std::string::npos || (parts->host.empty() && text[0] == '[')) {
    return Error{"'" + parts->host + "' is no IP address"};
  }
  const std::string host = parts->host.empty() ? "0.0.0.0" : parts->host;
  sockaddr_in v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(parts->port);
    return Address(reinterpret_cast<const sockaddr*>(&v4), sizeof v4);
  }
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(parts->port);
    return Address(reinterpret_cast<const sockaddr*>(&v6), sizeof v6);
  }
  return Error{"has no IP address before its port"};
}

Result<Address> Address::of_socket(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    return Error::from_errno(errno, "getsockname");
  }
  return Address(reinterpret_cast<const sockaddr*>(&storage), length);
}

Result<Address> Address::of_peer(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
    return Error::from_errno(errno, "getpeername");
  }
  return Address(reinterpret_cast<const sockaddr*>(&storage), length);
}

uint16_t Address::port() const {
  if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
  if (family() == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
  }
  return 0;
}

void Address::set_port(uint16_t port) {
  if (family() == AF_INET) reinterpret_cast<sockaddr_in*>(&storage_)->sin_port = htons(port);
  if (family() == AF_INET6) reinterpret_cast<sockaddr_in6*>(&storage_)->sin6_port = htons(port);
}

std::string Address::to_text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&storage_);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    return std::string(text.data()) + ":" + std::to_string(port());
  }
  if (family() == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&storage_);
    inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    return "[" + std::string(text.data()) + "]:" + std::to_string(port());
  }
  if (is_unix()) {
    return std::string(kUnixPrefix) + reinterpret_cast<const sockaddr_un*>(&storage_)->sun_path;
  }
  return "(no address)";
}

bool Address::is_forbidden_for_functions() const {
  if (family() == AF_INET) {
    return is_forbidden_v4(ntohl(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr.s_addr));
  }
  if (family() != AF_INET6) return false;
  const in6_addr& v6 = reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    uint32_t v4 = 0;
    std::memcpy(&v4, &v6.s6_addr[12], sizeof v4);
    return is_forbidden_v4(ntohl(v4));
  }
  return IN6_IS_ADDR_LINKLOCAL(&v6) || IN6_IS_ADDR_MULTICAST(&v6) || IN6_IS_ADDR_UNSPECIFIED(&v6);
}

std::string HostPort::to_text() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<HostPort> parse_host_port(std::string_view text, uint16_t default_port) {
  HostPort parts;
  std::string_view rest = text;
  if (!text.empty() && text.front() == '[') {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return Error{"lacks a ']'"};
    parts.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
    in6_addr v6{};
    const bool has_nul = parts.host.find('\0') != std::string::npos;
    if (has_nul || inet_pton(AF_INET6, parts.host.c_str(), &v6) != 1) {
      return Error{"has no IPv6 address in its []"};
    }
  } else {
    const size_t colon = text.rfind(':');
    parts.host = text.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view() : text.substr(colon);
    if (parts.host.find(':') != std::string::npos) {
      return Error{"has several ':'; an IPv6 address stands in []"};
    }
    if (parts.host.find_first_of("[]") != std::string::npos) return Error{"has a '[' or ']' in it"};
  }
  if (rest.empty() && default_port != 0) {
    parts.port = default_port;
    return parts;
  }
  const auto port = rest.empty() ? std::nullopt : parse_decimal(rest.substr(1));
  if (rest.empty() || rest.front() != ':' || !port || *port > 65535) {
    return Error{"needs a port from 0 to 65535 after the last ':'"};
  }
  parts.port = static_cast<uint16_t>(*port);
  return parts;
}

}  // namespace fnkit::net
