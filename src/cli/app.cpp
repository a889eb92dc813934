#include "fnkit/cli/app.hpp"

#include <algorithm>
#include <iostream>

#include "cli/command_line.hpp"
#include "cli/demo.hpp"
#include "fnkit/ring/ring.hpp"
#include "fnkit/server/check.hpp"
#include "fnkit/server/server.hpp"
#include "revision.hpp"

namespace fnkit::cli {
namespace {

int check_settings(const server::Settings& settings) {
  const server::CheckResult found = server::check(settings);
  for (const std::string& remark : found.remarks) std::cout << "Note: " << remark << ".\n";
  for (const std::string& problem : found.problems) fail(server::kExitFailed, problem);
  if (found.forbidden) return server::kExitForbidden;
  if (!found.problems.empty()) return server::kExitFailed;
  std::cout << "The settings are valid.\n";
  return server::kExitDone;
}

int serve_command(const Arguments& arguments) {
  Result<server::Settings> settings = make_settings(arguments.flags);
  if (!settings) return fail(server::kExitUsage, settings.error().message);
  if (arguments.print_config) {
    std::cout << config_text(arguments.flags);
    return server::kExitDone;
  }
  return arguments.check_only ? check_settings(*settings) : server::serve(*settings, nullptr);
}

template <class Command>
int with_location(const Arguments& arguments, Command command) {
  Result<store::Location> location = make_location(arguments.flags);
  if (!location) return fail(server::kExitUsage, location.error().message);
  return command(*location);
}

int version(bool verbose) {
  std::cout << kVersion << '\n';
  if (!verbose) return server::kExitDone;
  std::cout << "revision: " FNKIT_REVISION "\ncompiler: " FNKIT_BUILT_WITH
               "\nlibraries: " FNKIT_LIBRARIES "\n"
            << ring::kernel_facts();
  return server::kExitDone;
}

int run_command(const CLI::App& command, Arguments& arguments) {
  const std::string& name = command.get_name();
  if (name == "serve") return serve_command(arguments);
  if (name == "check") return check(arguments.files);
  if (name == "version") return version(arguments.verbose);
  if (name == "demo") {
    FlagValues flags;
    if (!arguments.demo_listen.empty()) flags["--listen"] = {arguments.demo_listen};
    return demo(std::move(flags), arguments.once);
  }
  return with_location(arguments, [&](const store::Location& location) {
    if (name == "add") return add(location, arguments.add);
    if (name == "ls") return list(location, arguments.as_json);
    if (name == "show") return show(location, arguments.name);
    return remove(location, arguments.name);
  });
}

// What CLI11 has to say, unless words were left over: then they, not what is missing, are the slip.
int refuse(const CLI::App& app, const CLI::ParseError& error) {
  std::vector<std::string> unknown = app.remaining(true);
  if (error.get_exit_code() != 0 && !unknown.empty()) {
    return fail(server::kExitUsage, "unknown argument '" + unknown.front() + "', see --help");
  }
  if (error.get_exit_code() != 0) {
    return fail(server::kExitUsage, std::string(error.what()) + ", see --help");
  }
  app.exit(error, std::cout, std::cerr);  // --help and --version
  return server::kExitDone;
}

}  // namespace

int run(int argc, char** argv) {
  CommandLine line;
  CLI::App& app = line.app;
  Arguments& arguments = line.arguments;
  std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() >= 2 && words[0] == "gateway" && words[1] == "orchestrate") {
    words.erase(words.begin(), words.begin() + 2);
  }
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  try {
    app.parse(words);
  } catch (const CLI::ParseError& error) {
    return refuse(app, error);
  }
  const CLI::App& command = *app.get_subcommands().front();
  if (command.get_name() == "add" && arguments.add.steps.empty() && arguments.add.file.empty()) {
    return fail(server::kExitUsage, "add: --steps or --file is required");
  }
  return run_command(command, arguments);
}

}  // namespace fnkit::cli
