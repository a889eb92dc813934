#include <algorithm>

#include "fnkit/base/text.hpp"
#include "fnkit/store/store.hpp"

// No message here quotes anything that may be a part of a misplaced password.

namespace fnkit::store {
namespace {

constexpr uint16_t kPort = 6379;
constexpr uint16_t kSentinelPort = 26379;
constexpr std::string_view kSentinelSuffix = "+sentinel";
// Far more databases than any server can have, and no overflow anywhere.
constexpr uint64_t kDatabaseMax = 1'000'000;
constexpr std::string_view kSchemes =
    "redis://, valkey://, rediss://, valkeys://, redis+sentinel://, unix:// or file://";

Result<std::string> decode_percent(std::string_view text, std::string_view what) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return Error{"its " + std::string(what) +
                   " has a '%' without two hex digits after it; a '%' "
                   "itself is written %25"};
    }
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::string encode_percent(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  constexpr std::string_view kPlain = "-._~";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_alpha(c) || is_digit(c) || kPlain.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

Result<unsigned> parse_database(std::string_view text) {
  const auto number = parse_decimal(text);
  if (!number || *number > kDatabaseMax) {
    return Error{"its database is a number from 0 up, as in redis://host/0"};
  }
  return static_cast<unsigned>(*number);
}

// "user:password" before the '@'.
Result<void> read_login(Location& location, std::string_view login) {
  const size_t colon = login.find(':');
  Result<std::string> user = decode_percent(login.substr(0, colon), "user name");
  if (!user) return user.error();
  location.user = std::move(*user);
  if (colon == std::string_view::npos) return {};
  Result<std::string> password = decode_percent(login.substr(colon + 1), "password");
  if (!password) return password.error();
  location.password = std::move(*password);
  return {};
}

Result<net::HostPort> read_host(std::string_view text, uint16_t default_port) {
  std::string_view host = text;
  std::string_view port;
  bool has_port = false;
  if (!text.empty() && text.front() == '[') {
    const size_t close = text.find(']');
    if (close == std::string_view::npos) return Error{"its IPv6 address lacks the ']'"};
    host = text.substr(1, close - 1);
    port = text.substr(close + 1);
    if (!port.empty() && port.front() != ':') return Error{"its ']' is followed by no ':'"};
    has_port = !port.empty();
  } else if (const size_t colon = text.find(':'); colon != std::string_view::npos) {
    if (text.find(':', colon + 1) != std::string_view::npos) {
      return Error{"its host has several ':'; an IPv6 address stands in []"};
    }
    host = text.substr(0, colon);
    port = text.substr(colon);
    has_port = true;
  }
  const auto number = has_port ? parse_decimal(port.substr(1)) : default_port;
  if (!number || *number == 0 || *number > 65535) {
    return Error{"its port is a number from 1 to 65535 (a password stands before an '@')"};
  }
  if (host.empty()) return Error{"it names no host"};
  const bool printable = std::all_of(host.begin(), host.end(), [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != 0x7f;
  });
  if (!printable) return Error{"its host has a space or a control character"};
  return net::HostPort{std::string(host), static_cast<uint16_t>(*number)};
}

Result<void> read_hosts(Location& location, std::string_view text) {
  if (text.empty()) return Error{"it names no host"};
  const bool several = location.kind == Location::Kind::sentinel;
  for (const std::string_view one : several ? split(text, ',') : std::vector{text}) {
    Result<net::HostPort> host = read_host(one, several ? kSentinelPort : kPort);
    if (!host) return host.error();
    location.hosts.push_back(std::move(*host));
  }
  return {};
}

// "/primary" off the front of `path`, where Sentinels are asked for one.
Result<void> read_primary(Location& location, std::string_view& path) {
  if (location.kind != Location::Kind::sentinel) return {};
  const size_t end = std::min(path.find('/', 1), path.size());
  const std::string_view written = path.substr(0, end);
  Result<std::string> name = decode_percent(written.substr(written.empty() ? 0 : 1), "primary");
  if (!name) return name.error();
  if (name->empty()) {
    return Error{"it names no primary: " + location.scheme + "://host:26379/mymaster"};
  }
  location.primary = std::move(*name);
  path.remove_prefix(end);
  return {};
}

// "host:port/db" and what may stand before.
Result<Location> parse_server(Location location, std::string_view rest) {
  const size_t end = rest.find_first_of("/?#");
  const std::string_view authority = rest.substr(0, end);
  std::string_view after = end == std::string_view::npos ? "" : rest.substr(end);
  if (after.find('@') != std::string_view::npos) {
    return Error{"a '/', '?' or '#' in its user name or password is written %2F, %3F or %23"};
  }
  const size_t at = authority.rfind('@');
  if (at != std::string_view::npos) {
    Result<void> login = read_login(location, authority.substr(0, at));
    if (!login) return login.error();
  }
  Result<void> hosts =
      read_hosts(location, at == std::string_view::npos ? authority : authority.substr(at + 1));
  if (!hosts) return hosts.error();
  if (after.find_first_of("?#") != std::string_view::npos) {
    return Error{"nothing may follow its database: redis://host:6379/0"};
  }
  if (Result<void> primary = read_primary(location, after); !primary) return primary.error();
  if (after.size() <= 1) return location;
  Result<unsigned> database = parse_database(after.substr(1));
  if (!database) return database.error();
  location.database = *database;
  return location;
}

// "/path", with "user:password@" before it for a socket.
Result<Location> parse_path(Location location, std::string_view rest) {
  const std::string scheme = location.scheme;
  const size_t slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (!authority.empty() && authority.back() == '@' &&
      location.kind == Location::Kind::unix_socket) {
    authority.remove_suffix(1);
    Result<void> login = read_login(location, authority);
    if (!login) return login.error();
    authority = {};
  }
  if (!authority.empty() || slash == std::string_view::npos) {
    return Error{"its path is absolute, which makes three slashes: " + scheme + ":///path"};
  }
  std::string_view path = rest.substr(slash);
  const size_t question = path.find('?');
  if (question != std::string_view::npos) {
    constexpr std::string_view kDatabase = "db=";
    const std::string_view query = path.substr(question + 1);
    if (location.kind == Location::Kind::directory || query.substr(0, 3) != kDatabase) {
      return Error{
          "nothing but ?db=N may follow the path of a unix:// URL, and nothing that of a "
          "file:// URL"};
    }
    Result<unsigned> database = parse_database(query.substr(kDatabase.size()));
    if (!database) return database.error();
    location.database = *database;
    path = path.substr(0, question);
  }
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  Result<std::string> decoded = decode_percent(path, "path");
  if (!decoded) return decoded.error();
  if (decoded->find('\0') != std::string::npos) return Error{"its path has a zero byte"};
  location.path = std::move(*decoded);
  return location;
}

Result<Location> parse_parts(std::string_view url) {
  const size_t colon = url.find("://");
  if (colon == std::string_view::npos) {
    return Error{"it begins with none of " + std::string(kSchemes)};
  }
  Location location;
  for (const char c : url.substr(0, colon)) location.scheme += ascii_lower(c);
  const std::string_view rest = url.substr(colon + 3);
  std::string_view server = location.scheme;
  if (server.ends_with(kSentinelSuffix)) {
    server.remove_suffix(kSentinelSuffix.size());
    location.kind = Location::Kind::sentinel;
  }
  if (server == "rediss" || server == "valkeys") location.tls.emplace();
  if (server == "redis" || server == "valkey" || location.tls) {
    return parse_server(std::move(location), rest);
  }
  if (location.scheme == "unix" || location.scheme == "file") {
    const bool is_socket = location.scheme == "unix";
    location.kind = is_socket ? Location::Kind::unix_socket : Location::Kind::directory;
    return parse_path(std::move(location), rest);
  }
  return Error{"its scheme is none of " + std::string(kSchemes)};
}

}  // namespace

Result<Location> parse_location(std::string_view url) {
  Result<Location> location = parse_parts(url);
  if (!location) return Error{"cannot be used: " + location.error().message};
  if (location->kind == Location::Kind::unix_socket) {
    Result<net::Address> address = net::Address::parse("unix:" + location->path);
    if (!address) return Error{"cannot be used: " + address.error().message};
  }
  return location;
}

std::string Location::to_text() const {
  std::string text = scheme + "://";
  if (!user.empty()) text += encode_percent(user) + "@";
  if (hosts.empty()) {
    text += path;
    if (database != 0) text += "?db=" + std::to_string(database);
    return text;
  }
  for (const net::HostPort& each : hosts) {
    if (&each != hosts.data()) text += ",";
    text += each.to_text();
  }
  if (kind == Kind::sentinel) text += "/" + encode_percent(primary);
  if (database != 0) text += "/" + std::to_string(database);
  return text;
}

}  // namespace fnkit::store
