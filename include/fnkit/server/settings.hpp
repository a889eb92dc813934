// Everything `serve` can be told, checked and in the units the program uses.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fnkit/http/client_pool.hpp"
#include "fnkit/http/server_connection.hpp"
#include "fnkit/net/address.hpp"
#include "fnkit/net/resolver.hpp"
#include "fnkit/observe/recorder.hpp"
#include "fnkit/pipeline/run.hpp"
#include "fnkit/server/otlp_endpoint.hpp"
#include "fnkit/server/step_url.hpp"
#include "fnkit/server/tokens.hpp"
#include "fnkit/store/store.hpp"

namespace fnkit::server {

struct Settings {
  std::vector<net::Address> listen;
  std::optional<net::Address> admin_listen;
  bool listens_on_passed = false;  // found out by serve(): the sockets are others' too
  int predecessor = 0;  // a process that listens there too and is to end when this one can serve
  store::Location store;
  std::vector<int> cpus;  // a pinned worker on each
  StepUrl step_url;
  std::map<std::string, http::Endpoint, std::less<>> resolve;  // by step
  net::ResolverOptions dns;
  std::string token_file;  // empty: none; re-read on SIGHUP
  Tokens tokens;
  std::vector<std::string> forward_headers;
  bool gateway = false;  // /<function>/<path> is passed to that function

  observe::RecorderOptions record;
  bool flush_to_store = true;  // where the store is a server
  bool server_timing = false;  // for every caller
  std::optional<OtlpEndpoint> otlp_endpoint;
  double otlp_sample = 0;  // of the traces that begin here

  http::ServerOptions callers;
  http::ClientOptions functions;
  Duration step_timeout = std::chrono::seconds(30);
  Duration pipeline_timeout = std::chrono::seconds(60);
  size_t merged_bytes_max = 64 * 1024 * 1024;
  size_t connections_max = 16 * 1024;         // a core
  size_t requests_max = 4096;                 // in progress, a core
  size_t held_bytes_max = 512 * 1024 * 1024;  // by messages, a core
  Duration drain_timeout = std::chrono::seconds(30);
  Duration refresh_interval = std::chrono::seconds(30);
};

}  // namespace fnkit::server
