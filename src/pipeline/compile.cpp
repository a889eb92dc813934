#include <algorithm>

#include "fnkit/json/quote.hpp"
#include "fnkit/json/value.hpp"
#include "fnkit/pipeline/plan.hpp"

namespace fnkit::pipeline {
namespace {

enum class Mode { sequential, parallel };

Result<Mode> read_mode(const json::Value& config) {
  const json::Value* mode = config.find("mode");
  if (mode == nullptr) return Mode::sequential;
  const std::string* text = mode->as_string();
  if (text != nullptr && *text == "sequential") return Mode::sequential;
  if (text != nullptr && *text == "parallel") return Mode::parallel;
  const std::string found =
      text != nullptr ? "'" + *text + "'" : std::string(name_of(mode->kind()));
  return Error{"\"mode\" is \"sequential\" or \"parallel\", not " + found};
}

std::vector<std::string> unknown_keys_of(const json::Value& config) {
  std::vector<std::string> unknown;
  for (const json::Member& member : config.members()) {
    if (member.key != "mode" && member.key != "steps") unknown.push_back(member.key);
  }
  return unknown;
}

Error steps_are_missing(const json::Value& config) {
  for (const std::string& key : unknown_keys_of(config)) {
    if (nearest_key(key) == "steps") return Error{"\"steps\" is missing; " + unknown_key(key)};
  }
  return Error{"\"steps\" is missing"};
}

Result<std::vector<Node>> read_steps(const json::Value& config) {
  const json::Value* steps = config.find("steps");
  if (steps == nullptr) return steps_are_missing(config);
  if (steps->kind() != json::Kind::array) {
    return Error{"\"steps\" is an array of function names, not " +
                 std::string(name_of(steps->kind()))};
  }
  if (steps->elements().size() > kStepsMax) {
    return Error{std::to_string(steps->elements().size()) + " steps are more than " +
                 std::to_string(kStepsMax)};
  }
  std::vector<Node> nodes;
  for (const json::Value& step : steps->elements()) {
    const std::string* name = step.as_string();
    if (name == nullptr) {
      return Error{"step " + std::to_string(nodes.size() + 1) + " is " +
                   std::string(name_of(step.kind())) + ", not a function name"};
    }
    if (Result<void> checked = check_step_name(*name); !checked) return checked.error();
    nodes.push_back(Node{Call{*name}});
  }
  return nodes;
}

std::vector<Parallel::Member> members_of(const std::vector<Node>& nodes) {
  std::vector<Parallel::Member> members;
  for (size_t i = 0; i < nodes.size(); ++i) {
    std::string key;
    json::append_quoted(key, std::get<Call>(nodes[i].kind).function);
    key += ':';
    const auto known = std::find_if(members.begin(), members.end(),
                                    [&](const auto& member) { return member.key == key; });
    if (known != members.end()) {
      known->node = i;
    } else {
      members.push_back({std::move(key), i});
    }
  }
  return members;
}

const std::vector<Node>& nodes_of(const Plan& plan) {
  const auto* sequence = std::get_if<Sequence>(&plan.root.kind);
  return sequence != nullptr ? sequence->nodes : std::get<Parallel>(plan.root.kind).nodes;
}

}  // namespace

Result<Plan> compile(std::string_view name, std::string_view config) {
  if (config.size() > kConfigBytesMax) {
    return Error{std::to_string(config.size()) + " bytes are more than " +
                 std::to_string(kConfigBytesMax)};
  }
  Result<json::Value> value = json::parse(config, kNestingMax);
  if (!value) return Error{"not valid JSON: " + value.error().message};
  if (value->kind() != json::Kind::object) {
    return Error{"a pipeline is a JSON object, not " + std::string(name_of(value->kind()))};
  }
  Result<Mode> mode = read_mode(*value);
  if (!mode) return mode.error();
  Result<std::vector<Node>> nodes = read_steps(*value);
  if (!nodes) return nodes.error();
  Plan plan;
  plan.name = name;
  plan.unknown_keys = unknown_keys_of(*value);
  if (*mode == Mode::sequential) {
    plan.root.kind = Sequence{std::move(*nodes)};
  } else {
    std::vector<Parallel::Member> members = members_of(*nodes);
    plan.root.kind = Parallel{std::move(*nodes), std::move(members)};
  }
  return plan;
}

std::string_view mode_of(const Plan& plan) {
  return std::holds_alternative<Sequence>(plan.root.kind) ? "sequential" : "parallel";
}

std::vector<std::string> step_names(const Plan& plan) {
  std::vector<std::string> names;
  for (const Node& node : nodes_of(plan)) names.push_back(std::get<Call>(node.kind).function);
  return names;
}

}  // namespace fnkit::pipeline
