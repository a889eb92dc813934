#include "cli/command_line.hpp"

namespace fnkit::cli {
namespace {

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
  serve->add_flag("--check", arguments.check_only,
                  "Validate all settings, look whether this machine can serve by them, and exit");
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

}  // namespace

CommandLine::CommandLine()
    : app("Runs pipelines of HTTP functions in a single request.", "fnkit-orchestrator") {
  app.require_subcommand(1);
  add_serve(app, arguments);
  add_management(app, arguments);
  add_demo(app, arguments);
  add_version(app, arguments);
  app.set_version_flag("--version", kVersion);
  for (CLI::App* command : app.get_subcommands({}))
    command->set_version_flag("--version", kVersion);
}

}  // namespace fnkit::cli
