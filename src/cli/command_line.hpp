// What may be written on the command line: from it come parsing, --help, the manual page and the
// completions.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/serve_options.hpp"

namespace fnkit::cli {

inline constexpr char kVersion[] = "fnkit-orchestrator " FNKIT_VERSION;

// Everything that CLI11 fills.
struct Arguments {
  FlagValues flags;
  bool check_only = false;
  bool print_config = false;
  bool once = false;
  bool verbose = false;
  std::string demo_listen;
  bool as_json = false;
  std::string name;
  AddArguments add;
  std::vector<std::string> files;
};

// Parsing `app` fills `arguments`. Stays where it is made.
struct CommandLine {
  CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  Arguments arguments;
  CLI::App app;
};

}  // namespace fnkit::cli
