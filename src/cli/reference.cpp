#include "fnkit/cli/reference.hpp"

#include <algorithm>
#include <set>

#include "cli/command_line.hpp"
#include "fnkit/base/text.hpp"

namespace fnkit::cli {
namespace {

constexpr size_t kColumns = 78;

std::vector<const CLI::App*> commands_of(const CLI::App& app) { return app.get_subcommands({}); }

// Those with a dash; --help first, as it is asked for first.
std::vector<const CLI::Option*> flags_of(const CLI::App& app) {
  std::vector<const CLI::Option*> flags;
  for (const CLI::Option* option : app.get_options()) {
    if (option->nonpositional()) flags.push_back(option);
  }
  return flags;
}

std::string long_name(const CLI::Option& option) { return "--" + option.get_lnames().front(); }

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

bool takes_file(const CLI::Option& option) { return option.get_type_name() == "FILE"; }

// "FILE"; without what CLI11 appends for a validator.
std::string value_name(const CLI::Option& option) {
  const std::string name = option.get_type_name();
  return name.substr(0, name.find(":{"));
}

// The words among which a value is to be chosen: "on|off".
std::vector<std::string_view> choices_of(const CLI::Option& option) {
  for (const ServeOption& setting : serve_options()) {
    if (setting.flag == long_name(option) && setting.value_name.find('|') != std::string::npos)
      return split(setting.value_name, '|');
  }
  if (long_name(option) == "--mode") return {"sequential", "parallel"};
  return {};
}

std::string joined(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) (text += text.empty() ? "" : " ") += word;
  return text;
}

// What scdoc would take for markup.
std::string as_scdoc(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '_' || c == '*' || c == '\\' || c == '#' || c == '<' || c == '~') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// Each line begins with `prefix`.
std::string wrapped(std::string_view text, std::string_view prefix) {
  std::string lines(prefix);
  size_t column = prefix.size();
  for (const std::string_view word : split(text, ' ')) {
    if (column > prefix.size() && column + 1 + word.size() > kColumns) {
      (lines += '\n') += prefix;
      column = prefix.size();
    }
    if (column > prefix.size()) lines += ' ';
    lines += word;
    column += word.size() + 1;
  }
  return lines + '\n';
}

std::string settings_as_scdoc() {
  std::string text;
  for (const ServeOption& option : serve_options()) {
    text += "*" + std::string(option.flag) + "* _" + as_scdoc(option.value_name) + "_, *" +
            as_scdoc(option.environment) + "*\n\t" + as_scdoc(option.description) + ".";
    if (!option.default_text.empty()) text += " Default: " + as_scdoc(option.default_text) + ".";
    if (option.repeatable) text += " Repeatable; the variable's value is separated by commas.";
    text += "\n\n";
  }
  return text;
}

// "add NAME [OPTIONS]": what may follow a command.
std::string usage_of(const CLI::App& command) {
  std::string usage = "*" + command.get_name();
  for (const std::string& alias : command.get_aliases()) usage += "*, *" + alias;
  usage += "*";
  for (const CLI::Option* option : command.get_options()) {
    if (!option->nonpositional()) usage += " _" + option->get_name() + "_";
  }
  return usage;
}

std::string commands_as_scdoc(const CLI::App& app) {
  std::string text;
  for (const CLI::App* command : commands_of(app)) {
    text += usage_of(*command) + "\n\t" + as_scdoc(command->get_description()) + ".";
    for (const CLI::Option* option : flags_of(*command)) {
      const std::string name = long_name(*option);
      const bool setting = std::any_of(serve_options().begin(), serve_options().end(),
                                       [&](const auto& each) { return each.flag == name; });
      if (setting || name == "--help" || name == "--version") continue;
      text += "\n\n\t*" + name + "*";
      if (takes_value(*option)) text += " _" + as_scdoc(value_name(*option)) + "_";
      text += "\n\t\t" + as_scdoc(option->get_description()) + ".";
    }
    text += "\n\n";
  }
  return text;
}

std::string defaults() {
  std::string text =
      "# Settings of fnkit-orchestrator serve, read by its service. Each line below is what is in\n"
      "# force without it; fnkit-orchestrator(8) tells more. `systemctl restart` makes changes\n"
      "# take effect.\n";
  for (const ServeOption& option : serve_options()) {
    std::string about(option.description);
    about += " (" + std::string(option.value_name);
    if (option.repeatable) about += ", separated by commas";
    if (option.default_text.empty()) about += "; none";
    text += "\n" + wrapped(about + ")", "# ");
    text += "#" + std::string(option.environment) + "=" + std::string(option.default_text) + "\n";
  }
  return text + "\n" + wrapped("A token itself, where there is no file of them", "# ") +
         "#FNKIT_AUTH_TOKEN=\n";
}

// A case for what may follow a flag; none where nothing follows.
std::string bash_values(const CLI::Option& option) {
  if (!takes_value(option)) return {};
  const std::string begin = "    " + long_name(option) + ") ";
  if (takes_file(option)) return begin + "COMPREPLY=($(compgen -f -- \"$word\")) ;;\n";
  const auto choices = choices_of(option);
  if (choices.empty()) return begin + "return ;;\n";
  return begin + "COMPREPLY=($(compgen -W '" + joined(choices) + "' -- \"$word\")) ;;\n";
}

std::string bash(const CLI::App& app) {
  std::string names;
  std::string flags;
  std::string values;
  for (const CLI::App* command : commands_of(app)) {
    std::string cases = command->get_name();
    names += " " + command->get_name();
    for (const std::string& alias : command->get_aliases()) cases += " | " + alias;
    flags += "    " + cases + ") flags='";
    for (const CLI::Option* option : flags_of(*command)) flags += long_name(*option) + " ";
    flags.back() = '\'';
    flags += " ;;\n";
  }
  std::set<std::string> seen;
  for (const CLI::App* command : commands_of(app)) {
    for (const CLI::Option* option : flags_of(*command)) {
      if (seen.insert(long_name(*option)).second) values += bash_values(*option);
    }
  }
  return "# bash completion for fnkit-orchestrator\n"
         "_fnkit_orchestrator() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} flags=''\n"
         "  if ((COMP_CWORD == 1)); then\n"
         "    COMPREPLY=($(compgen -W '" +
         names.substr(1) +
         " --help --version' -- \"$word\"))\n"
         "    return\n"
         "  fi\n"
         "  case $before in\n" +
         values +
         "  esac\n"
         "  ((${#COMPREPLY[@]})) && return\n"
         "  case ${COMP_WORDS[1]} in\n" +
         flags +
         "  esac\n"
         "  if [[ $word == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$flags\" -- \"$word\"))\n"
         "  elif [[ ${COMP_WORDS[1]} == check ]]; then\n"
         "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
         "  fi\n"
         "}\n"
         "complete -F _fnkit_orchestrator fnkit-orchestrator\n";
}

// Inside '...' of a shell, and inside zsh's [...].
std::string quoted(std::string_view text, bool zsh) {
  std::string quoted;
  for (const char c : text) {
    if (c == '\'') quoted += "'\\'";
    if (zsh && (c == '[' || c == ']' || c == ':' || c == '\\')) quoted += '\\';
    quoted += c;
  }
  return quoted;
}

std::string zsh_option(const CLI::Option& option) {
  std::string text = "'";
  const bool many = option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  if (many) text += "*";
  text += long_name(option) + (takes_value(option) ? "=[" : "[") +
          quoted(option.get_description(), true) + "]";
  const auto choices = choices_of(option);
  if (takes_value(option)) text += ":" + quoted(value_name(option), true) + ":";
  if (!choices.empty()) text += "(" + joined(choices) + ")";
  if (takes_file(option)) text += "_files";
  return text + "'";
}

std::string zsh(const CLI::App& app) {
  std::string names;
  std::string cases;
  for (const CLI::App* command : commands_of(app)) {
    names += "    '" + command->get_name() + ":" + quoted(command->get_description(), true) + "'\n";
    cases += "    " + command->get_name();
    for (const std::string& alias : command->get_aliases()) cases += " | " + alias;
    cases += ")\n      _arguments";
    for (const CLI::Option* option : flags_of(*command))
      cases += " \\\n        " + zsh_option(*option);
    if (command->get_name() == "check") cases += " \\\n        '*:FILE:_files'";
    cases += "\n      ;;\n";
  }
  return "#compdef fnkit-orchestrator\n"
         "local -a commands\n"
         "commands=(\n" +
         names +
         ")\n"
         "if ((CURRENT == 2)); then\n"
         "  _describe command commands\n"
         "else\n"
         "  local command=$words[2]\n"
         "  shift words\n"
         "  ((CURRENT--))\n"
         "  case $command in\n" +
         cases +
         "  esac\n"
         "fi\n";
}

std::string fish(const CLI::App& app) {
  const std::string complete = "complete -c fnkit-orchestrator ";
  std::string text = "# fish completion for fnkit-orchestrator\n" + complete + "-f\n";
  for (const CLI::App* command : commands_of(app)) {
    text += complete + "-n __fish_use_subcommand -a " + command->get_name() + " -d '" +
            quoted(command->get_description(), false) + "'\n";
    std::string names = command->get_name();
    for (const std::string& alias : command->get_aliases()) names += " " + alias;
    for (const CLI::Option* option : flags_of(*command)) {
      text += complete + "-n '__fish_seen_subcommand_from " + names + "' -l " +
              long_name(*option).substr(2);
      if (const auto choices = choices_of(*option); !choices.empty()) {
        text += " -x -a '" + joined(choices) + "'";
      } else if (takes_file(*option)) {
        text += " -r -F";
      } else if (takes_value(*option)) {
        text += " -x";
      }
      text += " -d '" + quoted(option->get_description(), false) + "'\n";
    }
    if (command->get_name() == "check") {
      text += complete + "-n '__fish_seen_subcommand_from check' -F\n";
    }
  }
  return text;
}

}  // namespace

std::optional<std::string> reference(std::string_view form) {
  const CommandLine line;
  if (form == "commands") return commands_as_scdoc(line.app);
  if (form == "settings") return settings_as_scdoc();
  if (form == "defaults") return defaults();
  if (form == "bash") return bash(line.app);
  if (form == "zsh") return zsh(line.app);
  if (form == "fish") return fish(line.app);
  return std::nullopt;
}

}  // namespace fnkit::cli
