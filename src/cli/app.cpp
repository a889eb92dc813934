#include "fnkit/cli/app.hpp"

#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/commands.hpp"
#include "cli/demo.hpp"
#include "cli/serve_options.hpp"
#include "fnkit/ring/ring.hpp"
#include "fnkit/server/server.hpp"
#include "revision.hpp"

namespace fnkit::cli {
namespace {

constexpr char kVersion[] = "fnkit-orchestrator " FNKIT_VERSION;

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

int serve_command(const Arguments& arguments) {
  Result<server::Settings> settings = make_settings(arguments.flags);
  if (!settings) return fail(server::kExitUsage, settings.error().message);
  if (!arguments.check_only && !arguments.print_config) return server::serve(*settings, nullptr);
  std::cout << (arguments.print_config ? config_text(arguments.flags)
                                       : "The settings are valid.\n");
  return server::kExitDone;
}

template <class Command>
int with_location(const Arguments& arguments, Command command) {
  Result<store::Location> location = make_location(arguments.flags);
  if (!location) return fail(server::kExitUsage, location.error().message);
  return command(*location);
}

void add_options(CLI::App& command, std::span<const ServeOption> options, FlagValues& flags) {
  for (const ServeOption& option : options) {
    auto* added =
        command.add_option(std::string(option.flag), flags[option.flag], help_text(option));
    const bool may_stand_alone = option.value_name == "on|off";
    added->type_name(std::string(option.value_name))->expected(may_stand_alone ? 0 : 1, 1);
    added->multi_option_policy(option.repeatable ? CLI::MultiOptionPolicy::TakeAll
                                                 : CLI::MultiOptionPolicy::Throw);
  }
}

void add_serve(CLI::App& app, Arguments& arguments) {
  CLI::App* serve = app.add_subcommand("serve", "Run the server");
  add_options(*serve, serve_options(), arguments.flags);
  serve->add_flag("--check", arguments.check_only, "Validate all settings and exit");
  serve->add_flag("--print-config", arguments.print_config,
                  "Print all settings in force, and who has said each, and exit");
}

void add_management(CLI::App& app, Arguments& arguments) {
  const auto with_store = [&](CLI::App* command) {
    add_options(*command, store_options(), arguments.flags);
    return command;
  };
  const auto named = [&](CLI::App* command) {
    command->add_option("NAME", arguments.name, "The pipeline's name")->required();
  };
  CLI::App* add = with_store(app.add_subcommand("add", "Store a pipeline"));
  add->add_option("NAME", arguments.add.name, "The pipeline's name")->required();
  auto* steps = add->add_option("--steps", arguments.add.steps, "Its steps: a,b,c");
  steps->type_name("STEPS");
  arguments.add.mode = "sequential";
  auto* mode =
      add->add_option("--mode", arguments.add.mode, "sequential (the default) or parallel");
  mode->type_name("MODE")->check(CLI::IsMember({"sequential", "parallel"}));
  auto* file = add->add_option("--file", arguments.add.file,
                               "A whole JSON config instead; - is standard input");
  file->type_name("FILE")->excludes(steps)->excludes(mode);
  CLI::App* list = with_store(app.add_subcommand("ls", "List the stored pipelines"));
  list->alias("list")->add_flag("--json", arguments.as_json, "As a JSON array");
  named(with_store(app.add_subcommand("show", "Print one pipeline's JSON")));
  named(with_store(app.add_subcommand("remove", "Delete a pipeline")->alias("rm")));
  CLI::App* check = app.add_subcommand("check", "Validate pipeline JSON without storing it");
  check->add_option("FILE", arguments.files, "JSON files; - is standard input")->required();
}

void add_demo(CLI::App& app, Arguments& arguments) {
  CLI::App* demo = app.add_subcommand(
      "demo", "Run sample functions and the two documented pipelines, nothing else needed");
  demo->add_flag("--once", arguments.once, "Make the calls, print the answers and exit");
  demo->add_option("--listen", arguments.demo_listen, "Listen here [127.0.0.1:8080]")
      ->type_name("ADDR:PORT");
}

void add_version(CLI::App& app, Arguments& arguments) {
  app.add_subcommand("version", "Print the version")
      ->add_flag("--verbose", arguments.verbose,
                 "Also the revision, the compiler, the libraries, the kernel and its io_uring");
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
  CLI::App app("Runs pipelines of HTTP functions in a single request.", "fnkit-orchestrator");
  app.require_subcommand(1);
  Arguments arguments;
  add_serve(app, arguments);
  add_management(app, arguments);
  add_demo(app, arguments);
  add_version(app, arguments);
  app.set_version_flag("--version", kVersion);
  for (CLI::App* command : app.get_subcommands({}))
    command->set_version_flag("--version", kVersion);
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
