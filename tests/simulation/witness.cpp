#include "simulation/witness.hpp"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace fnkit::test {
namespace {

std::string good_answer(const SimRequest& request, const SimVersion& version) {
  std::string input = request.idempotent ? "" : request.body;
  if (!version.parallel) {
    for (const std::string& function : version.functions) {
      input = made_by(function, request.id, input);
    }
    return input;
  }
  std::string merged = "{";
  for (const std::string& function : version.functions) {
    if (merged.size() > 1) merged += ',';
    const std::string made = made_by(function, request.id, input);
    merged += "\"" + function + "\":" + (function == "json" ? made : "\"" + made + "\"");
  }
  return merged + "}";
}

std::string about(const SimRequest& request) {
  return "request " + std::to_string(request.id) + " to " + request.pipeline->name + ": ";
}

std::string shortened(std::string_view text) {
  return std::string(text.substr(0, 200)) + (text.size() > 200 ? "…" : "");
}

}  // namespace

std::string SimVersion::to_config() const {
  std::string config = parallel ? R"({"mode":"parallel","steps":[)" : R"({"steps":[)";
  for (const std::string& function : functions) config += "\"" + function + "\",";
  config.back() = ']';
  return config + "}";
}

std::string SimRequest::to_bytes() const {
  const std::string number = std::to_string(id);
  std::string bytes = (idempotent ? "GET" : "POST") + std::string(" /orchestrate/") +
                      pipeline->name + "/x?id=" + number + " HTTP/1.1\r\nHost: o\r\n" +
                      "x-request-id: req-" + number + "\r\n";
  if (idempotent) return bytes + "\r\n";
  return bytes + "content-length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string made_by(const std::string& function, unsigned id, std::string_view input) {
  const std::string own = "<" + std::to_string(id) + ">";
  if (function == "json") return "[\"" + own + "\", 1.0,12345678901234567890 ]";
  return (input.empty() ? own : std::string(input)) + "|" + function;
}

void Witness::called(const std::string& function, unsigned id, bool idempotent) {
  const unsigned times = ++calls_[{function, id}];
  if (times <= (idempotent ? 2 : 1)) return;
  fault(function + " was called " + std::to_string(times) + " times for request " +
        std::to_string(id));
}

void Witness::input_came(const std::string& function, unsigned id, const std::string& target,
                         const std::string& input) {
  const std::string number = std::to_string(id);
  if (target != "/x?id=" + number) fault(function + " was called at " + target + " for " + number);
  if (!input.empty() && !input.starts_with("<" + number + ">")) {
    fault(function + " got somebody else's input for request " + number + ": " + shortened(input));
  }
}

// Every "<digits>", "id=digits" and "req-digits" in `text` is the request's own.
void Witness::only_own_ids(const SimRequest& request, std::string_view text) {
  for (const std::string_view mark : {"<", "id=", "req-"}) {
    for (size_t at = text.find(mark); at != text.npos; at = text.find(mark, at + 1)) {
      const std::string rest(text.substr(at + mark.size(), 12));
      if (rest.empty() || std::isdigit(static_cast<unsigned char>(rest.front())) == 0) continue;
      if (std::strtoul(rest.c_str(), nullptr, 10) == request.id) continue;
      // The text may have been cut off within the number.
      const bool cut = rest.find_first_not_of("0123456789") == rest.npos;
      if (cut && std::to_string(request.id).starts_with(rest)) continue;
      fault(about(request) + "got somebody else's: " + shortened(text));
      return;
    }
  }
}

// The versions that a request may have met.
std::span<const SimVersion> Witness::in_force(const SimRequest& request) const {
  const std::vector<SimVersion>& all = request.pipeline->versions;
  size_t first = all.size() - 1;
  while (first > 0 && later(all[first].since, stale_max_) > request.asked) --first;
  return std::span(all).subspan(first);
}

bool Witness::may_be(const SimRequest& request, const Answer& answer) const {
  return std::ranges::any_of(in_force(request), [&](const SimVersion& version) {
    return !version.functions.empty() && answer.body == good_answer(request, version);
  });
}

bool Witness::may_be_unknown(const SimRequest& request) const {
  return std::ranges::any_of(in_force(request),
                             [](const SimVersion& version) { return version.functions.empty(); });
}

void Witness::answered(const SimRequest& request, const Answer& answer) {
  const auto header = [&](const char* name) {
    const auto found = answer.headers.find(name);
    return found == answer.headers.end() ? std::string() : found->second;
  };
  only_own_ids(request, answer.body);
  if (header("x-request-id") != "req-" + std::to_string(request.id)) {
    fault(about(request) + "answered with x-request-id " + header("x-request-id"));
  }
  if (answer.status == 200) {
    ++good_answers_;
    if (!may_be(request, answer)) {
      fault(about(request) + "200 with a wrong body: " + shortened(answer.body));
    }
    return;
  }
  if (answer.status == 404) {
    ++unknown_answers_;
    if (!may_be_unknown(request)) fault(about(request) + "404, though it was never away");
    return;
  }
  ++failed_answers_;
  if (strict_) fault(about(request) + std::to_string(answer.status) + " " + answer.body);
  const bool ours = header("content-type") == "application/json" &&
                    answer.body.starts_with("{\"error\":\"") && answer.body.ends_with("}");
  if (!ours) fault(about(request) + "a failure of a strange shape: " + shortened(answer.body));
}

void Witness::ended(const SimRequest& request, std::string_view bytes) {
  ++ends_;
  only_own_ids(request, bytes);
  if (strict_) fault(about(request) + "its connection ended");
}

}  // namespace fnkit::test
