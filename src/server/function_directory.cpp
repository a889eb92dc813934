#include "server/function_directory.hpp"

namespace fnkit::server {

http::Endpoint endpoint_of(const Settings& settings, const std::string& step) {
  const auto resolved = settings.resolve.find(step);
  if (resolved != settings.resolve.end()) return resolved->second;
  StepUrl::Target target = settings.step_url.target_of(step);
  return {std::move(target.host), target.port, std::nullopt};
}

const FunctionDirectory::Function& FunctionDirectory::find(const std::string& name) {
  const auto known = functions_.find(name);
  if (known != functions_.end()) return known->second;
  StepUrl::Target target = settings_.step_url.target_of(name);
  Function function{&pool_.upstream(endpoint_of(settings_, name)), &series_.steps.of(name),
                    std::move(target.authority), std::move(target.path)};
  return functions_.emplace(name, std::move(function)).first->second;
}

}  // namespace fnkit::server
