#include "fnkit/server/tokens.hpp"

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "fnkit/base/text.hpp"

namespace fnkit::server {
namespace {

// Looks at every byte of `token` whatever `given` is. volatile: so that no compiler leaves early.
bool equal_in_constant_time(std::string_view given, std::string_view token) {
  volatile unsigned difference = given.size() == token.size() ? 0 : 1;
  for (size_t i = 0; i < token.size(); ++i) {
    const auto byte = static_cast<unsigned char>(given.empty() ? '\0' : given[i % given.size()]);
    difference = difference | (byte ^ static_cast<unsigned char>(token[i]));
  }
  return difference == 0;
}

}  // namespace

Result<Tokens> Tokens::read_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) return Error::from_errno(errno, "cannot be read");
  std::vector<std::string> tokens;
  std::string line;
  while (std::getline(file, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const std::string_view token = trim(line);
    if (!token.empty()) tokens.emplace_back(token);
  }
  if (file.bad() || !file.eof()) {
    return Error::from_errno(errno, "cannot be read");
  }
  if (tokens.empty())
    return Error{
        "holds no token. Two ways out: write one there (for the packaged service: into "
        "/etc/fnkit-orchestrator/token), or let everybody call, with FNKIT_AUTH_TOKEN_FILE= "
        "(empty; "
        "in /etc/default/fnkit-orchestrator)"};
  return Tokens(std::move(tokens));
}

bool Tokens::accept(std::optional<std::string_view> authorization) const {
  constexpr std::string_view kBearer = "bearer ";
  if (open_mode()) return true;
  const std::string_view value = authorization.value_or(std::string_view());
  if (!equals_ignoring_case(value.substr(0, kBearer.size()), kBearer)) return false;
  const std::string_view given = trim(value.substr(kBearer.size()));
  unsigned accepted = 0;
  for (const std::string& token : tokens_) {
    accepted |= static_cast<unsigned>(equal_in_constant_time(given, token));
  }
  return accepted != 0;
}

}  // namespace fnkit::server
