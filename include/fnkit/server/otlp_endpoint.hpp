// --otlp-endpoint: where spans are sent.
#pragma once

#include <string>
#include <string_view>

#include "fnkit/http/client_pool.hpp"

namespace fnkit::server {

// http://HOST[:PORT][/PATH]: a receiver of OTLP/HTTP. Without a port it is 4318; a path that does
// not end in /v1/traces gets it appended (OpenTelemetry specification, protocol/exporter.md).
struct OtlpEndpoint {
  // The error goes on where the quoted URL ends.
  static Result<OtlpEndpoint> parse(std::string_view url);

  std::string to_text() const { return "http://" + authority + path; }

  http::Endpoint endpoint;
  std::string authority;  // as the Host header has it
  std::string path;
};

}  // namespace fnkit::server
