#include "cli/serve_options.hpp"

#include <algorithm>
#include <cstdlib>

#include "fnkit/base/text.hpp"

namespace fnkit::cli {
namespace {

using server::Settings;
using Applied = Result<void>;

// An empty variable counts as none, as in most programs.
std::optional<std::string> from_environment(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

// The URL as messages may show it. What follows a host and is no port may be a misplaced password.
std::string without_password(std::string_view url) {
  const size_t scheme_end = url.find("://");
  const size_t start = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
  const std::string scheme(url.substr(0, start));
  if (const size_t at = url.rfind('@'); at != std::string_view::npos) {
    return scheme + "***" + std::string(url.substr(std::max(at, start)));
  }
  const size_t colon = url.find(':', start);
  if (colon == std::string_view::npos ||
      url.find_first_not_of("0123456789/", colon + 1) == std::string_view::npos) {
    return std::string(url);
  }
  return std::string(url.substr(0, colon + 1)) + "***";
}

// What is in force of an option, and who said so: its flag, its variable, or kDefault.
struct InForce {
  std::vector<std::string> values;
  std::string_view source;
};
constexpr std::string_view kDefault = "default";

InForce in_force(const ServeOption& option, const FlagValues& flags) {
  const auto given = flags.find(option.flag);
  if (given != flags.end() && !given->second.empty()) return {given->second, option.flag};
  if (auto variable = from_environment(option.environment)) {
    if (!option.repeatable) return {{std::move(*variable)}, option.environment};
    const std::vector<std::string_view> parts = split(*variable, ',');
    return {{parts.begin(), parts.end()}, option.environment};
  }
  if (option.default_text.empty()) return {{}, kDefault};
  return {{std::string(option.default_text)}, kDefault};
}

std::string shown(const ServeOption& option, const std::string& value) {
  return option.flag == "--cache-url" ? without_password(value) : value;
}

Applied apply_option(Settings& settings, const ServeOption& option, const FlagValues& flags) {
  const InForce given = in_force(option, flags);
  for (const std::string& value : given.values) {
    if (Applied applied = option.apply(settings, value); !applied) {
      const std::string_view source = given.source == kDefault ? option.flag : given.source;
      return Error{std::string(source) + ": '" + shown(option, value) + "' " +
                   applied.error().message};
    }
  }
  return {};
}

Applied apply_options(Settings& settings, std::span<const ServeOption> options,
                      const FlagValues& flags) {
  for (const ServeOption& option : options) {
    if (Applied applied = apply_option(settings, option, flags); !applied) return applied;
  }
  if (!settings.store.tls) return {};
  auto context = net::TlsContext::load(*settings.store.tls);  // each connection loads it anew
  if (!context) return Error{"--cache-ca, --cache-cert, --cache-key: " + context.error().message};
  return {};
}

}  // namespace

Result<server::Settings> make_settings(const FlagValues& flags) {
  Settings settings;
  if (Applied applied = apply_options(settings, serve_options(), flags); !applied)
    return applied.error();
  settings.functions.write_timeout = settings.callers.write_timeout;
  if (settings.token_file.empty()) {
    if (auto variable = from_environment("FNKIT_AUTH_TOKEN")) {
      const std::string_view token = trim(*variable);
      if (token.empty()) return Error{"FNKIT_AUTH_TOKEN: is blank, so nobody could call"};
      settings.tokens = server::Tokens({std::string(token)});
    }
  }
  return settings;
}

Result<store::Location> make_location(const FlagValues& flags) {
  Settings settings;
  Applied applied = apply_options(settings, store_options(), flags);
  if (!applied) return applied.error();
  return settings.store;
}

std::string config_text(const FlagValues& flags) {
  std::string text;
  bool has_token_file = false;
  for (const ServeOption& option : serve_options()) {
    const InForce given = in_force(option, flags);
    if (given.values.empty()) text += "# " + std::string(option.flag) + " is not set\n";
    for (const std::string& value : given.values) {
      text += std::string(option.flag) + "=" + shown(option, value) + "  # ";
      text += given.source == option.flag ? "flag" : given.source;
      text += '\n';
      has_token_file = has_token_file || option.flag == "--auth-token-file";
    }
  }
  const std::string_view token = has_token_file                         ? "is not used"
                                 : from_environment("FNKIT_AUTH_TOKEN") ? "is set"
                                                                        : "is not set";
  return text + "# FNKIT_AUTH_TOKEN " + std::string(token) + "\n";
}

std::string help_text(const ServeOption& option) {
  std::string text(option.description);
  text += " [";
  text += option.environment;
  if (!option.default_text.empty()) {
    text += "; ";
    text += option.default_text;
  }
  text += "]";
  if (option.repeatable) text += " (repeatable)";
  return text;
}

}  // namespace fnkit::cli
