// Every setting of `serve`: its flag, its environment variable, its default, what it does. The one
// table from which parsing and --help are made.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "fnkit/server/settings.hpp"

namespace fnkit::cli {

struct ServeOption {
  std::string_view flag;          // "--listen"
  std::string_view environment;   // "FNKIT_LISTEN"
  std::string_view value_name;    // "ADDR:PORT"; of a repeatable one the environment's value is a
  bool repeatable;                // comma-separated list
  std::string_view default_text;  // as the user would write it; empty: none
  std::string_view description;
  // Puts one value into the settings.
  Result<void> (*apply)(server::Settings& settings, std::string_view value);
};

std::span<const ServeOption> serve_options();
// Those of them that say where the store is and how to reach it: for the other commands too.
std::span<const ServeOption> store_options();

// What the command line said: flag -> its values.
using FlagValues = std::map<std::string_view, std::vector<std::string>>;

// Flags, then environment, then defaults, into checked settings. The error names the flag or
// variable and the value.
Result<server::Settings> make_settings(const FlagValues& flags);

// The same of store_options() alone.
Result<store::Location> make_location(const FlagValues& flags);

// Each setting in force, a line each, as the flag that says it and who has said it: `flag`, a
// variable, `default`. Without passwords and tokens. For flags of which make_settings() makes
// settings.
std::string config_text(const FlagValues& flags);

// One line of --help: what it does, its environment variable and its default.
std::string help_text(const ServeOption& option);

}  // namespace fnkit::cli
