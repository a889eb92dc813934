#include "pipeline.hpp"

#include <algorithm>
#include <array>

namespace identity {
namespace {

constexpr std::array<std::string_view, 3> kFailures = {"502", "503", "504"};

Verdict wrong(std::string why) { return {Verdict::Kind::wrong, std::move(why), 1}; }

// Takes `text` from the front of `rest`.
bool skip(std::string_view& rest, std::string_view text) {
  if (!rest.starts_with(text)) return false;
  rest.remove_prefix(text.size());
  return true;
}

bool skip_message(std::string_view& rest, const Message& message) {
  return skip(rest, message.head()) && skip(rest, message.payload()) && skip(rest, Message::kEnd);
}

// Takes a JSON string's inside up to its closing quote.
std::optional<std::string_view> take_quoted(std::string_view& rest) {
  for (size_t at = 0; at < rest.size(); ++at) {
    if (rest[at] == '\\') {
      ++at;
    } else if (rest[at] == '"') {
      const std::string_view inside = rest.substr(0, at);
      rest.remove_prefix(at + 1);
      return inside;
    }
  }
  return std::nullopt;
}

std::string quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

bool is_success(const Asked& asked, std::string_view body) {
  const Pipeline& pipeline = *asked.pipeline;
  std::string_view rest = body;
  Message message = asked.message;
  if (!pipeline.parallel) {
    message.by = pipeline.steps;
    return skip_message(rest, message) && rest.empty();
  }
  char before = '{';
  for (const char step : pipeline.steps) {
    const char key[] = {before, '"', step, '"', ':', '\0'};
    message.by.assign(1, step);
    if (!skip(rest, key) || !skip_message(rest, message)) return false;
    before = ',';
  }
  return rest == "}";
}

// What a step that failed is allowed to say. `status` and `told` are as the answer has them.
std::string check_step(const Asked& asked, std::string_view step, std::string_view status,
                       std::string_view told, std::string_view reliable) {
  if (step.size() != 1 || asked.pipeline->steps.find(step[0]) == std::string::npos) {
    return "the failed step is none of this pipeline";
  }
  if (status == "500") {
    const bool own = told == refusal(asked.message.id.to_text(), step[0]);
    return own ? "" : "the failed step's body is not this request's";
  }
  if (std::find(kFailures.begin(), kFailures.end(), status) == kFailures.end()) {
    return "no function answers with that status";
  }
  if (reliable.find(step[0]) != reliable.npos) return "a call failed that could not fail";
  return told.empty() ? "no reason is given" : "";
}

// {"error":"Step failed","step":…,"status":500,"body":…} or …,"step":…,"detail":…}
Verdict judge_sequential_failure(const Asked& asked, const Answer& answer,
                                 std::string_view reliable) {
  std::string_view rest = answer.body;
  if (!skip(rest, R"({"error":"Step failed","step":")")) return wrong("no failure of a step");
  const auto step = take_quoted(rest);
  const std::string status = std::to_string(answer.status);
  const bool answered = status == "500";
  if (!step || !skip(rest, answered ? R"(,"status":500,"body":")" : R"(,"detail":")")) {
    return wrong("a failure of another shape");
  }
  const auto told = take_quoted(rest);
  if (!told || rest != "}") return wrong("a failure of another shape");
  std::string why = check_step(asked, *step, status, *told, reliable);
  if (!why.empty()) return wrong(std::move(why));
  return {Verdict::Kind::failed, "", asked.pipeline->steps.find((*step)[0]) + 1};
}

Verdict judge_parallel_failure(const Asked& asked, const Answer& answer,
                               std::string_view reliable) {
  std::string_view rest = answer.body;
  if (answer.status != 502) return wrong("a parallel failure with another status");
  if (!skip(rest, R"({"error":"Parallel execution failed","details":")")) {
    return wrong("no parallel failure");
  }
  const auto details = take_quoted(rest);
  if (!details || !skip(rest, R"(,"failures":[)")) return wrong("a failure of another shape");
  for (bool first = true; first || skip(rest, ","); first = false) {
    const std::string_view whole = rest;
    if (!skip(rest, R"({"step":")")) return wrong("a failure of another shape");
    const auto step = take_quoted(rest);
    if (!step || !skip(rest, R"(,"status":)")) return wrong("a failure of another shape");
    const std::string_view status = rest.substr(0, 3);
    rest.remove_prefix(std::min<size_t>(3, rest.size()));
    if (!skip(rest, R"(,"body":")")) return wrong("a failure of another shape");
    const auto told = take_quoted(rest);
    if (!told || !skip(rest, "}")) return wrong("a failure of another shape");
    std::string why = check_step(asked, *step, status, *told, reliable);
    if (!why.empty()) return wrong(std::move(why));
    if (first && quoted(whole.substr(0, whole.size() - rest.size())) != *details) {
      return wrong("details are not the first failure");
    }
  }
  if (rest != "]}") return wrong("a failure of another shape");
  return {Verdict::Kind::failed, "", asked.pipeline->steps.size()};
}

}  // namespace

std::optional<Pipeline> Pipeline::parse(std::string_view name) {
  if (!name.starts_with("s-") && !name.starts_with("p-")) return std::nullopt;
  const std::string steps(name.substr(2));
  if (steps.empty() || steps.size() > kStepsMax) return std::nullopt;
  return Pipeline{std::string(name), name[0] == 'p', steps};
}

void append_request(std::string& out, const Asked& asked, bool chunked) {
  const std::string id = asked.message.id.to_text();
  const std::string head = asked.message.head();
  const std::string_view payload = asked.message.payload();
  out += "POST /orchestrate/" + asked.pipeline->name + "/c?id=" + id +
         " HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-request-id: " + id;
  if (!chunked) {
    out += "\r\ncontent-length: ";
    out += std::to_string(head.size() + payload.size() + Message::kEnd.size());
    out += "\r\n\r\n";
    out += head;
    out += payload;
    out += Message::kEnd;
    return;
  }
  char size[24];
  out += "\r\ntransfer-encoding: chunked\r\n\r\n";
  for (const std::string_view part : {std::string_view(head), payload, Message::kEnd}) {
    if (part.empty()) continue;
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    out += size;
    out += part;
    out += "\r\n";
  }
  out += "0\r\n\r\n";
}

Next next_answer(std::string_view in, Answer& answer, size_t& bytes) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  const size_t end = in.find("\r\n\r\n");
  if (end == in.npos) return Next::nothing;
  const std::string_view head = in.substr(0, end + 2);
  const auto length = number(header(head, "content-length"));
  const auto status = number(head.substr(std::min(kVersion.size(), head.size()), 3));
  if (!head.starts_with(kVersion) || !length || !status) return Next::broken;
  bytes = end + 4 + *length;
  if (in.size() < bytes) return Next::nothing;
  answer.status = static_cast<int>(*status);
  answer.request_id = header(head, "x-request-id");
  answer.body = in.substr(end + 4, *length);
  answer.closes = header(head, "connection") == "close";
  return Next::answer;
}

Verdict judge(const Asked& asked, const Answer& answer, std::string_view reliable) {
  const std::string id = asked.message.id.to_text();
  if (answer.request_id != id) return wrong("the x-request-id of another");
  if (answer.status == 200) {
    if (!is_success(asked, answer.body)) return wrong("not the output of its steps");
    return {Verdict::Kind::right, "", asked.pipeline->steps.size()};
  }
  if (mentions_another(answer.body, id)) return wrong("a failure that quotes another's answer");
  if (asked.pipeline->parallel) return judge_parallel_failure(asked, answer, reliable);
  return judge_sequential_failure(asked, answer, reliable);
}

}  // namespace identity
