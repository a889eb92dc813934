// Where functions are, and what one core knows of them.
#pragma once

#include <string>
#include <unordered_map>

#include "fnkit/http/client_pool.hpp"
#include "fnkit/server/settings.hpp"

namespace fnkit::server {

// Where the function of a step is.
http::Endpoint endpoint_of(const Settings& settings, const std::string& step);

// Made once a core; knows each function from its first call on.
class FunctionDirectory {
 public:
  // All must outlive it.
  FunctionDirectory(const Settings& settings, http::ClientPool& pool, observe::CoreSeries& series)
      : settings_(settings), pool_(pool), series_(series) {}

  struct Function {
    http::Upstream* upstream;
    observe::StepSeries* series;
    std::string authority;
    std::string path;  // goes before the request's path
  };
  const Function& find(const std::string& name);

 private:
  const Settings& settings_;
  http::ClientPool& pool_;
  observe::CoreSeries& series_;
  std::unordered_map<std::string, Function> functions_;
};

}  // namespace fnkit::server
