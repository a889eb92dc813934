// --step-url: where a step's function is called.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "fnkit/base/result.hpp"

namespace fnkit::server {

// http://HOST[:PORT][/PATH], with {step} for the step's name at least once, in host or path.
class StepUrl {
 public:
  // The error goes on where the quoted template ends.
  static Result<StepUrl> parse(std::string_view url_template);

  struct Target {
    std::string host;  // without brackets
    uint16_t port;
    std::string authority;  // as the Host header has it
    std::string path;       // goes before the request's own path; no '/' at its end
  };
  Target target_of(std::string_view step) const;

 private:
  std::string host_;
  uint16_t port_ = 80;
  std::string authority_;
  std::string path_;
};

}  // namespace fnkit::server
