#include "fnkit/server/otlp_endpoint.hpp"

#include "fnkit/base/text.hpp"
#include "fnkit/net/address.hpp"

namespace fnkit::server {
namespace {

constexpr std::string_view kScheme = "http://";
constexpr std::string_view kTraces = "/v1/traces";
constexpr uint16_t kPort = 4318;

bool begins_with(std::string_view url, std::string_view scheme) {
  return equals_ignoring_case(url.substr(0, scheme.size()), scheme);
}

}  // namespace

Result<OtlpEndpoint> OtlpEndpoint::parse(std::string_view url) {
  if (begins_with(url, "https://")) {
    return Error{
        "is https, which is not spoken here: send to a collector on this machine by http, "
        "and let that one do TLS"};
  }
  if (!begins_with(url, kScheme)) return Error{"does not begin with http://"};
  for (const char c : url) {
    if (c <= ' ' || c >= 0x7f || c == '?' || c == '#' || c == '@') {
      return Error{"has a character that is not allowed here"};
    }
  }
  const std::string_view rest = url.substr(kScheme.size());
  const size_t slash = rest.find('/');
  const std::string_view authority = rest.substr(0, slash);
  Result<net::HostPort> parts = net::parse_host_port(authority, kPort);
  if (!parts) return parts.error();
  if (parts->host.empty() || parts->port == 0) return Error{"has no host"};
  OtlpEndpoint parsed;
  parsed.endpoint = {parts->host, parts->port, std::nullopt};
  parsed.authority = parts->to_text();
  if (slash != std::string_view::npos) parsed.path = rest.substr(slash);
  while (!parsed.path.empty() && parsed.path.back() == '/') parsed.path.pop_back();
  if (!parsed.path.ends_with(kTraces)) parsed.path += kTraces;
  return parsed;
}

}  // namespace fnkit::server
