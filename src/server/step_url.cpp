#include "fnkit/server/step_url.hpp"

#include "fnkit/base/text.hpp"
#include "fnkit/net/address.hpp"

namespace fnkit::server {
namespace {

constexpr std::string_view kPlaceholder = "{step}";
constexpr std::string_view kScheme = "http://";

std::string fill(std::string_view text, std::string_view step) {
  std::string filled;
  while (true) {
    const size_t at = text.find(kPlaceholder);
    filled += text.substr(0, at);
    if (at == std::string_view::npos) return filled;
    filled += step;
    text.remove_prefix(at + kPlaceholder.size());
  }
}

}  // namespace

Result<StepUrl> StepUrl::parse(std::string_view url_template) {
  if (!equals_ignoring_case(url_template.substr(0, kScheme.size()), kScheme)) {
    return Error{"does not begin with http://"};
  }
  if (url_template.find(kPlaceholder) == std::string_view::npos) {
    return Error{"does not contain {step}"};
  }
  for (const char c : url_template) {
    if (c <= ' ' || c >= 0x7f || c == '?' || c == '#' || c == '@') {
      return Error{"has a character that is not allowed here"};
    }
  }
  StepUrl url;
  const std::string_view rest = url_template.substr(kScheme.size());
  const size_t path = rest.find('/');
  url.authority_ = rest.substr(0, path);
  if (path != std::string_view::npos) url.path_ = rest.substr(path);
  while (!url.path_.empty() && url.path_.back() == '/') url.path_.pop_back();
  Result<net::HostPort> parts = net::parse_host_port(url.authority_, 80);
  if (!parts) return parts.error();
  if (parts->host.empty() || parts->port == 0) return Error{"has no host"};
  url.host_ = parts->host;
  url.port_ = parts->port;
  return url;
}

StepUrl::Target StepUrl::target_of(std::string_view step) const {
  return {fill(host_, step), port_, fill(authority_, step), fill(path_, step)};
}

}  // namespace fnkit::server
