#include "cli/serve_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "fnkit/base/log.hpp"
#include "fnkit/base/text.hpp"
#include "fnkit/cli/values.hpp"

namespace fnkit::cli {
namespace {

using server::Settings;
using Applied = Result<void>;

constexpr size_t kPidMax = size_t{1} << 22;  // PID_MAX_LIMIT

template <class T>
Applied store_into(T& place, Result<T> value) {
  if (!value) return value.error();
  place = std::move(*value);
  return {};
}

// Makes an apply function for a duration, a size or a count that has a place in the settings.
template <auto place>
Applied duration(Settings& settings, std::string_view text) {
  return store_into(place(settings), parse_duration(text));
}
template <auto place>
Applied size(Settings& settings, std::string_view text) {
  return store_into(place(settings), parse_size(text));
}
template <auto place>
Applied count(Settings& settings, std::string_view text) {
  return store_into(place(settings), parse_count(text, 1));
}
#define FNKIT_PLACE(member) \
  [](Settings & s) -> auto& { return s.member; }

Applied listen(Settings& settings, std::string_view text) {
  Result<net::Address> address = net::Address::parse(text);
  if (!address) return address.error();
  settings.listen.push_back(*address);
  return {};
}

Applied admin_listen(Settings& settings, std::string_view text) {
  Result<net::Address> address = net::Address::parse(text);
  if (!address) return address.error();
  settings.admin_listen = *address;
  return {};
}

Applied replace(Settings& settings, std::string_view text) {
  Result<size_t> pid = parse_count(text, 2);
  if (!pid) return pid.error();
  if (*pid > kPidMax) return Error{"is no process id"};
  settings.predecessor = static_cast<int>(*pid);
  return {};
}

Applied cache_url(Settings& settings, std::string_view text) {
  return store_into(settings.store, store::parse_location(text));
}

// Somebody who names a file for TLS must not be connected without.
template <std::string net::TlsFiles::*file>
Applied cache_tls(Settings& settings, std::string_view text) {
  if (!settings.store.tls) return Error{"is for a rediss:// or valkeys:// URL only"};
  (*settings.store.tls).*file = text;
  return {};
}

Applied cores(Settings& settings, std::string_view text) {
  return store_into(settings.cpus, parse_cores(text));
}

Applied step_url(Settings& settings, std::string_view text) {
  return store_into(settings.step_url, server::StepUrl::parse(text));
}

// STEP=HOST:PORT, STEP=[V6]:PORT or STEP=unix:/path.
Applied resolve(Settings& settings, std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    return Error{"is not STEP=HOST:PORT"};
  }
  const std::string step(text.substr(0, equals));
  const std::string_view where = text.substr(equals + 1);
  if (Applied name = pipeline::check_step_name(step); !name) {
    return Error{"names no step: " + name.error().message};
  }
  http::Endpoint endpoint;
  if (Result<net::Address> address = net::Address::parse(where); address) {
    endpoint.address = *address;
  } else {
    Result<net::HostPort> parts = net::parse_host_port(where, 0);
    if (!parts) return parts.error();
    if (parts->host.empty()) return Error{"has no host"};
    endpoint.host = parts->host;
    endpoint.port = parts->port;
  }
  settings.resolve[step] = endpoint;
  return {};
}

Applied dns_server(Settings& settings, std::string_view text) {
  Result<net::Address> address = net::Address::parse(text);
  if (!address) return address.error();
  if (address->is_unix() || text.front() == ':' || address->port() == 0) {
    return Error{"is not an IP address and its port"};
  }
  settings.dns.servers.push_back(*address);
  return {};
}

Applied auth_token_file(Settings& settings, std::string_view text) {
  settings.token_file = text;
  return store_into(settings.tokens, server::Tokens::read_file(settings.token_file));
}

Applied forward_header(Settings& settings, std::string_view text) {
  static constexpr std::array<std::string_view, 12> kOurs = {
      "via",          "host",      "content-length", "transfer-encoding", "connection",
      "content-type", "accept",    "keep-alive",     "content-encoding",  "x-request-id",
      "traceparent",  "tracestate"};
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(), ascii_lower);
  const bool is_name = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_alpha(c) || is_digit(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
  if (!is_name) return Error{"is no header name"};
  if (std::find(kOurs.begin(), kOurs.end(), name) != kOurs.end()) {
    return Error{"is set by the program itself"};
  }
  settings.forward_headers.push_back(std::move(name));
  return {};
}

Applied on_disconnect(Settings& settings, std::string_view text) {
  if (text != "cancel" && text != "finish") {
    return Error{"is neither cancel nor finish"};
  }
  settings.callers.cancel_when_caller_leaves = text == "cancel";
  return {};
}

Applied log_format(Settings&, std::string_view text) {
  if (text != "logfmt" && text != "json") {
    return Error{"is neither logfmt nor json"};
  }
  set_log_format(text == "json" ? LogFormat::json : LogFormat::logfmt);
  return {};
}

Applied switched(bool& place, std::string_view text) {
  const bool on = text == "on" || text.empty() || text == "true";  // the flag alone
  if (!on && text != "off" && text != "false") return Error{"is neither on nor off"};
  place = on;
  return {};
}
template <auto place>
Applied on_or_off(Settings& settings, std::string_view text) {
  return switched(place(settings), text);
}

Applied otlp_endpoint(Settings& settings, std::string_view text) {
  Result<server::OtlpEndpoint> endpoint = server::OtlpEndpoint::parse(text);
  if (!endpoint) return endpoint.error();
  settings.otlp_endpoint = std::move(*endpoint);
  settings.record.spans = true;
  return {};
}

// Without somebody to send them to, no trace is told to be sampled.
Applied otlp_sample(Settings& settings, std::string_view text) {
  double ratio = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ratio);
  if (error != std::errc() || end != text.data() + text.size() || !(ratio >= 0 && ratio <= 1)) {
    return Error{"is no number from 0 to 1"};
  }
  if (settings.otlp_endpoint) settings.otlp_sample = ratio;
  return {};
}

Applied observe_where(Settings& settings, std::string_view text) {
  if (text != "store" && text != "memory" && text != "off") {
    return Error{"is none of store, memory and off"};
  }
  settings.record.records = text != "off";
  settings.flush_to_store = text == "store";
  return {};
}

// A largest answer is one limit for each kind of message.
constexpr auto kBodyMax = FNKIT_PLACE(callers.limits.body_bytes_max);
constexpr auto kAnswerMax = FNKIT_PLACE(functions.limits.body_bytes_max);
constexpr auto kTargetMax = FNKIT_PLACE(callers.limits.target_bytes_max);
constexpr auto kHeadMax = FNKIT_PLACE(callers.limits.head_bytes_max);
constexpr auto kLinesMax = FNKIT_PLACE(callers.limits.header_lines_max);

// The first kStoreOptions are those of all commands that use the store.
constexpr size_t kStoreOptions = 4;
constexpr ServeOption kOptions[] = {
    {"--cache-url", "CACHE_URL", "URL", false, "redis://fnkit-cache:6379",
     "Where pipelines are stored: redis://[user[:password]@]host[:port][/db], valkey:// the same, "
     "rediss:// and valkeys:// by TLS, redis+sentinel://host[:port][,host...]/primary[/db], "
     "unix:///path[?db=N], file:///dir",
     &cache_url},
    {"--cache-ca", "FNKIT_CACHE_CA", "FILE", false, "",
     "Whom to believe, in PEM, where the URL asks for TLS; else whom the system believes",
     &cache_tls<&net::TlsFiles::ca>},
    {"--cache-cert", "FNKIT_CACHE_CERT", "FILE", false, "",
     "A certificate to show to the store, in PEM, with its chain",
     &cache_tls<&net::TlsFiles::certificate>},
    {"--cache-key", "FNKIT_CACHE_KEY", "FILE", false, "", "The key of --cache-cert, in PEM",
     &cache_tls<&net::TlsFiles::key>},
    {"--listen", "FNKIT_LISTEN", "ADDR:PORT", true, "127.0.0.1:3000",
     "Listen here; also [::]:PORT and unix:/path", &listen},
    {"--admin-listen", "FNKIT_ADMIN_LISTEN", "ADDR:PORT", false, "",
     "Serve health, /metrics and /observe here too, without a token, and nothing else",
     &admin_listen},
    {"--replace", "FNKIT_REPLACE", "PID", false, "",
     "Listen beside this running server, and end it (SIGTERM) when the pipelines are loaded",
     &replace},
    {"--cores", "FNKIT_CORES", "N", false, "all",
     "One pinned worker on each of the first N CPUs of the affinity mask", &cores},
    {"--step-url", "FNKIT_STEP_URL", "TEMPLATE", false, "http://{step}:8080",
     "Where a step's function is called", &step_url},
    {"--resolve", "FNKIT_RESOLVE", "STEP=HOST:PORT", true, "",
     "Connect to this address for a step; also STEP=unix:/path", &resolve},
    {"--dns-server", "FNKIT_DNS_SERVER", "ADDR:PORT", true, "",
     "Ask this DNS server, not those of resolv.conf", &dns_server},
    {"--auth-token-file", "FNKIT_AUTH_TOKEN_FILE", "FILE", false, "",
     "Bearer tokens, one a line, re-read on SIGHUP; FNKIT_AUTH_TOKEN holds one itself",
     &auth_token_file},
    {"--forward-header", "FNKIT_FORWARD_HEADER", "NAME", true, "",
     "A header of the caller's that steps get too", &forward_header},
    {"--gateway", "FNKIT_GATEWAY", "on|off", false, "off",
     "Pass /<function>/<path> to that function, bodies as they come: no other gateway is needed",
     &on_or_off<FNKIT_PLACE(gateway)>},
    {"--on-disconnect", "FNKIT_ON_DISCONNECT", "cancel|finish", false, "cancel",
     "What becomes of the steps of a caller that is gone", &on_disconnect},
    {"--target-max", "FNKIT_TARGET_MAX", "SIZE", false, "8KiB", "Largest request target (414)",
     &size<kTargetMax>},
    {"--head-max", "FNKIT_HEAD_MAX", "SIZE", false, "16KiB", "Largest request head (431)",
     &size<kHeadMax>},
    {"--header-lines-max", "FNKIT_HEADER_LINES_MAX", "N", false, "100",
     "Most header lines of a request (431)", &count<kLinesMax>},
    {"--body-max", "FNKIT_BODY_MAX", "SIZE", false, "16MiB", "Largest request body (413)",
     &size<kBodyMax>},
    {"--answer-max", "FNKIT_ANSWER_MAX", "SIZE", false, "64MiB", "Largest answer of a step (502)",
     &size<kAnswerMax>},
    {"--merged-max", "FNKIT_MERGED_MAX", "SIZE", false, "64MiB",
     "Largest merged answer of a parallel pipeline (502)", &size<FNKIT_PLACE(merged_bytes_max)>},
    {"--head-timeout", "FNKIT_HEAD_TIMEOUT", "TIME", false, "10s",
     "For reading a request head (408)", &duration<FNKIT_PLACE(callers.head_timeout)>},
    {"--body-timeout", "FNKIT_BODY_TIMEOUT", "TIME", false, "30s",
     "Between two reads of a request body (408)", &duration<FNKIT_PLACE(callers.body_timeout)>},
    {"--idle-timeout", "FNKIT_IDLE_TIMEOUT", "TIME", false, "75s",
     "A caller's connection without a request (close)",
     &duration<FNKIT_PLACE(callers.idle_timeout)>},
    {"--write-timeout", "FNKIT_WRITE_TIMEOUT", "TIME", false, "30s",
     "A caller that takes no byte of its answer (close)",
     &duration<FNKIT_PLACE(callers.write_timeout)>},
    {"--connections-max", "FNKIT_CONNECTIONS_MAX", "N", false, "16384",
     "Most callers' connections a core (refused)", &count<FNKIT_PLACE(connections_max)>},
    {"--requests-max", "FNKIT_REQUESTS_MAX", "N", false, "4096",
     "Most requests in progress a core (503)", &count<FNKIT_PLACE(requests_max)>},
    {"--held-max", "FNKIT_HELD_MAX", "SIZE", false, "512MiB",
     "Most bytes held for messages, a core (503); all cores: half of the control group's memory "
     "limit",
     &size<FNKIT_PLACE(held_bytes_max)>},
    {"--connect-timeout", "FNKIT_CONNECT_TIMEOUT", "TIME", false, "5s",
     "For a connection to a function: a new one, or one that becomes free (504)",
     &duration<FNKIT_PLACE(functions.connect_timeout)>},
    {"--step-timeout", "FNKIT_STEP_TIMEOUT", "TIME", false, "30s", "For one step (504)",
     &duration<FNKIT_PLACE(step_timeout)>},
    {"--pipeline-timeout", "FNKIT_PIPELINE_TIMEOUT", "TIME", false, "60s",
     "For a whole pipeline (504)", &duration<FNKIT_PLACE(pipeline_timeout)>},
    {"--step-connections-max", "FNKIT_STEP_CONNECTIONS_MAX", "N", false, "64",
     "Most connections to one function, a core (calls wait)",
     &count<FNKIT_PLACE(functions.connections_max)>},
    {"--step-waiting-max", "FNKIT_STEP_WAITING_MAX", "N", false, "1024",
     "Most calls waiting for one function, a core (503)",
     &count<FNKIT_PLACE(functions.waiting_max)>},
    {"--step-idle-timeout", "FNKIT_STEP_IDLE_TIMEOUT", "TIME", false, "1500ms",
     "An idle connection to a function that promises nothing (close)",
     &duration<FNKIT_PLACE(functions.idle_timeout)>},
    {"--pipelining-depth", "FNKIT_PIPELINING_DEPTH", "N", false, "8",
     "Most calls that share a connection to a function; 1: none does",
     &count<FNKIT_PLACE(functions.pipelining_depth)>},
    {"--pipelining-wait", "FNKIT_PIPELINING_WAIT", "TIME", false, "500us",
     "What sharing a connection may cost a call, as far as is known of the function",
     &duration<FNKIT_PLACE(functions.pipelining_wait)>},
    {"--drain-timeout", "FNKIT_DRAIN_TIMEOUT", "TIME", false, "30s",
     "For requests in progress after SIGTERM (503)", &duration<FNKIT_PLACE(drain_timeout)>},
    {"--refresh-interval", "FNKIT_REFRESH_INTERVAL", "TIME", false, "30s",
     "Everything stored is read again and compared", &duration<FNKIT_PLACE(refresh_interval)>},
    {"--observe", "FNKIT_OBSERVE", "store|memory|off", false, "store",
     "Where traces and events go: into the store, or only to /observe, or nowhere", &observe_where},
    {"--trace-previews", "FNKIT_TRACE_PREVIEWS", "on|off", false, "on",
     "Traces have what bodies begin with", &on_or_off<FNKIT_PLACE(record.previews)>},
    {"--server-timing", "FNKIT_SERVER_TIMING", "on|off", false, "off",
     "Every answer of a pipeline tells how long its steps took, not only those asked for by "
     "x-pipeline-debug: 1",
     &on_or_off<FNKIT_PLACE(server_timing)>},
    {"--access-log", "FNKIT_ACCESS_LOG", "on|off", false, "off",
     "A line on stderr for each request", &on_or_off<FNKIT_PLACE(record.access_log)>},
    {"--otlp-endpoint", "FNKIT_OTLP_ENDPOINT", "URL", false, "",
     "Send spans there, as OTLP/HTTP: http://HOST[:4318][/PATH]", &otlp_endpoint},
    {"--otlp-sample", "FNKIT_OTLP_SAMPLE", "RATIO", false, "0.01",
     "Which part of the traces that begin here is sent; those that fail always are", &otlp_sample},
    {"--log-format", "FNKIT_LOG_FORMAT", "logfmt|json", false, "logfmt", "Lines on stderr",
     &log_format},
};
#undef FNKIT_PLACE

}  // namespace

std::span<const ServeOption> serve_options() { return kOptions; }
std::span<const ServeOption> store_options() { return serve_options().first(kStoreOptions); }

}  // namespace fnkit::cli
