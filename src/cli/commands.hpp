// The commands that manage stored pipelines. Each yields an exit code and has said on stderr why it
// is not 0.
#pragma once

#include <string>
#include <vector>

#include "fnkit/store/store.hpp"

namespace fnkit::cli {

struct AddArguments {
  std::string name;
  std::string steps;  // comma-separated; empty where a file is given
  std::string mode;
  std::string file;  // "-" is stdin
};

int add(const store::Location& location, const AddArguments& arguments);
int list(const store::Location& location, bool as_json);
int show(const store::Location& location, const std::string& name);
int remove(const store::Location& location, const std::string& name);
int check(const std::vector<std::string>& files);

// "fnkit-orchestrator: <message>" on stderr; yields `exit_code`.
int fail(int exit_code, const std::string& message);

}  // namespace fnkit::cli
