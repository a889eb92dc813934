#include <algorithm>
#include <optional>
#include <span>

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

using Keys = std::vector<std::string>;

Keys unknown_keys_of(const json::Value& object, std::span<const std::string_view> known) {
  Keys unknown;
  for (const json::Member& member : object.members()) {
    if (std::find(known.begin(), known.end(), member.key) == known.end()) {
      unknown.push_back(member.key);
    }
  }
  return unknown;
}

constexpr std::string_view kConfigKeys[] = {"mode", "steps"};
constexpr std::string_view kStepKeys[] = {"fn", "pipelining", "idempotent"};

Error steps_are_missing(const json::Value& config) {
  for (const std::string& key : unknown_keys_of(config, kConfigKeys)) {
    if (nearest_key(key) == "steps") return Error{"\"steps\" is missing; " + unknown_key(key)};
  }
  return Error{"\"steps\" is missing"};
}

Result<bool> read_flag(const json::Value& step, std::string_view key, bool otherwise) {
  const json::Value* flag = step.find(key);
  if (flag == nullptr) return otherwise;
  const std::optional<bool> value = flag->as_boolean();
  if (value) return *value;
  return Error{"\"" + std::string(key) + "\" is true or false, not " +
               std::string(name_of(flag->kind()))};
}

// {"fn":"name"}, with what is said of the calls.
Result<Call> read_step_object(const json::Value& step, Keys& unknown) {
  const json::Value* name = step.find("fn");
  if (name == nullptr) return Error{"\"fn\", the function's name, is missing"};
  if (name->as_string() == nullptr) {
    return Error{"\"fn\" is a function's name, not " + std::string(name_of(name->kind()))};
  }
  Result<bool> pipelining = read_flag(step, "pipelining", true);
  if (!pipelining) return pipelining.error();
  Result<bool> idempotent = read_flag(step, "idempotent", false);
  if (!idempotent) return idempotent.error();
  for (std::string& key : unknown_keys_of(step, kStepKeys)) unknown.push_back(std::move(key));
  return Call{*name->as_string(), *pipelining, *idempotent};
}

Result<Call> read_step(const json::Value& step, Keys& unknown) {
  if (step.kind() == json::Kind::object) return read_step_object(step, unknown);
  const std::string* name = step.as_string();
  if (name != nullptr) return Call{*name};
  return Error{std::string(name_of(step.kind())) + ", not a function name"};
}

Result<std::vector<Node>> read_steps(const json::Value& config, Keys& unknown) {
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
  nodes.reserve(steps->elements().size());
  for (const json::Value& step : steps->elements()) {
    Result<Call> call = read_step(step, unknown);
    if (!call) {
      const std::string place = "step " + std::to_string(nodes.size() + 1);
      const bool is_object = step.kind() == json::Kind::object;
      return Error{place + (is_object ? ": " : " is ") + call.error().message};
    }
    if (Result<void> checked = check_step_name(call->function); !checked) return checked.error();
    nodes.push_back(Node{std::move(*call)});
  }
  return nodes;
}

std::vector<Parallel::Member> members_of(const std::vector<Node>& nodes) {
  std::vector<Parallel::Member> members;
  members.reserve(nodes.size());
  for (size_t i = 0; i < nodes.size(); ++i) {
    std::string key;
    json::append_quoted(key, name_of(nodes[i]));
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

}  // namespace

Result<Plan> compile(std::string_view config) {
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
  Plan plan;
  plan.unknown_keys = unknown_keys_of(*value, kConfigKeys);
  Result<std::vector<Node>> nodes = read_steps(*value, plan.unknown_keys);
  if (!nodes) return nodes.error();
  if (*mode == Mode::sequential) {
    plan.root.kind = Sequence{std::move(*nodes)};
  } else {
    std::vector<Parallel::Member> members = members_of(*nodes);
    plan.root.kind = Parallel{std::move(*nodes), std::move(members)};
  }
  return plan;
}

const std::vector<Node>& nodes_of(const Plan& plan) {
  const auto* sequence = std::get_if<Sequence>(&plan.root.kind);
  return sequence != nullptr ? sequence->nodes : std::get<Parallel>(plan.root.kind).nodes;
}

const std::string& name_of(const Node& node) { return std::get<Call>(node.kind).function; }

std::string_view mode_of(const Plan& plan) {
  return std::holds_alternative<Sequence>(plan.root.kind) ? "sequential" : "parallel";
}

std::vector<std::string> step_names(const Plan& plan) {
  std::vector<std::string> names;
  for (const Node& node : nodes_of(plan)) names.push_back(name_of(node));
  return names;
}

}  // namespace fnkit::pipeline
