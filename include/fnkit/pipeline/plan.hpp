// A pipeline ready to run: an immutable tree, compiled once, shared by all cores.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fnkit/base/result.hpp"

namespace fnkit::pipeline {

struct Node;

// Calls one function.
struct Call {
  std::string function;
  bool may_share = true;    // "pipelining": others may be on their way over the same connection
  bool idempotent = false;  // "idempotent": calling it twice does no harm, whatever the method
};

// Each node's output is the next one's input; the first failure ends it.
struct Sequence {
  std::vector<Node> nodes;
};

// All nodes get the same input; their outputs become one JSON object.
struct Parallel {
  std::vector<Node> nodes;
  // The members of the merged object, in order: `key` is quoted and ends with ':'. Where a name
  // stands twice, its last node counts and its first place, as in a JavaScript object.
  struct Member {
    std::string key;
    size_t node;
  };
  std::vector<Member> members;
};

struct Node {
  std::variant<Call, Sequence, Parallel> kind;
};

struct Plan {
  Node root;                              // Sequence or Parallel
  std::vector<std::string> unknown_keys;  // of the config: said, and ignored by `serve`
};

// CONTRACT section 5.
inline constexpr size_t kConfigBytesMax = 64 * 1024;
inline constexpr size_t kPipelineNameBytesMax = 128;
inline constexpr size_t kStepNameBytesMax = 253;
inline constexpr size_t kStepsMax = 64;
inline constexpr size_t kNestingMax = 16;

// 1 to kPipelineNameBytesMax of A-Z a-z 0-9 and ._~:@!$&'()*+,;=-
bool is_pipeline_name(std::string_view name);

// Why `name` can be no function's name (a DNS or container name that spells no IP address); success
// where it can.
Result<void> check_step_name(std::string_view name);

// `config` is the stored JSON. The error says what is wrong and where, for a person. A plan without
// steps is a plan.
Result<Plan> compile(std::string_view config);

// Of its root; empty where it has no steps.
const std::vector<Node>& nodes_of(const Plan& plan);

// What a node is called in answers, errors and lists: so far each is a call.
const std::string& name_of(const Node& node);

// "sequential" or "parallel", and the names of the steps: what `ls` shows.
std::string_view mode_of(const Plan& plan);
std::vector<std::string> step_names(const Plan& plan);

// The config key that `key` was most likely meant to be; empty where none is near.
std::string_view nearest_key(std::string_view key);
// 'unknown key "stpes", did you mean "steps"?'
std::string unknown_key(std::string_view key);

}  // namespace fnkit::pipeline
