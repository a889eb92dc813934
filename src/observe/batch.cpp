#include "fnkit/observe/batch.hpp"

#include <iterator>

namespace fnkit::observe {
namespace {

// KEYS: batch number, started, traces, events, then metrics of each step.
// ARGV: number, started, how many traces, how many events, these, then four for each step.
// Whatever one part meets (a key of another type) must not keep back the others: pcall.
constexpr std::string_view kScript = R"(
if redis.call('GET', KEYS[1]) == ARGV[1] then return {} end
redis.call('SET', KEYS[1], ARGV[1], 'EX', 3600)
local troubles = {}
local function try(command, key, ...)
  local reply = redis.pcall(command, key, ...)
  if type(reply) == 'table' and reply.err then
    troubles[#troubles + 1] = key .. ': ' .. reply.err
  end
  return reply
end
if ARGV[2] ~= '' then try('SET', KEYS[2], ARGV[2]) end
local at = 5
local function push(key, count)
  for first = at, at + count - 1, 500 do
    try('LPUSH', key, unpack(ARGV, first, math.min(first + 499, at + count - 1)))
  end
  if count > 0 then try('LTRIM', key, 0, 999) end
  at = at + count
end
push(KEYS[3], tonumber(ARGV[3]))
push(KEYS[4], tonumber(ARGV[4]))
for i = 5, #KEYS do
  local stored = try('GET', KEYS[i])
  local ok, value = pcall(cjson.decode, type(stored) == 'string' and stored or '{}')
  if not ok or type(value) ~= 'table' then value = {} end
  value.requests = (tonumber(value.requests) or 0) + tonumber(ARGV[at])
  value.errors = (tonumber(value.errors) or 0) + tonumber(ARGV[at + 1])
  if tostring(value.last_active or '') <= ARGV[at + 2] then
    value.last_active = ARGV[at + 2]
    value.status = ARGV[at + 3]
  end
  if type(stored) ~= 'table' then try('SET', KEYS[i], cjson.encode(value)) end
  at = at + 4
end
return troubles
)";

std::string_view status_of(const StepActivity& activity) {
  return activity.failed ? "error" : "running";
}

}  // namespace

StepActivity activity_of(const StepTotal& step, const WallClock& clock) {
  const Instant last{Duration(static_cast<int64_t>(step.last_ended))};
  return {step.calls(), step.failures(), clock.iso(last), step.last_failed};
}

std::string to_metrics_json(const StepActivity& activity) {
  return R"({"requests":)" + std::to_string(activity.requests) + R"(,"errors":)" +
         std::to_string(activity.errors) + R"(,"last_active":")" + activity.last_active +
         R"(","status":")" + std::string(status_of(activity)) + R"("})";
}

valkey::Command Batch::to_command(const std::string& instance) && {
  const size_t key_count = 4 + steps.size();
  valkey::Command command = {"EVAL",
                             std::string(kScript),
                             std::to_string(key_count),
                             "fnkit:observe:batch:" + instance,
                             std::string(kStartedKey),
                             std::string(kTracesKey),
                             std::string(kEventsKey)};
  command.reserve(command.size() + 4 + traces.size() + events.size() + 5 * steps.size());
  for (const auto& [step, activity] : steps) command.push_back(std::string(kMetricsPrefix) + step);
  command.insert(command.end(), {std::to_string(number), std::move(started),
                                 std::to_string(traces.size()), std::to_string(events.size())});
  std::move(traces.begin(), traces.end(), std::back_inserter(command));
  std::move(events.begin(), events.end(), std::back_inserter(command));
  for (const auto& [step, activity] : steps) {
    command.insert(command.end(),
                   {std::to_string(activity.requests), std::to_string(activity.errors),
                    activity.last_active, std::string(status_of(activity))});
  }
  return command;
}

std::map<std::string, StepActivity> Flushed::take(const Totals& totals, const WallClock& clock) {
  std::map<std::string, StepActivity> added;
  for (const auto& [step, total] : totals.steps) {
    StepActivity activity = activity_of(total, clock);
    Seen& seen = seen_[step];
    const uint64_t requests = activity.requests - std::exchange(seen.requests, activity.requests);
    const uint64_t errors = activity.errors - std::exchange(seen.errors, activity.errors);
    if (requests == 0 && errors == 0) continue;
    activity.requests = requests;
    activity.errors = errors;
    added.emplace(step, std::move(activity));
  }
  return added;
}

}  // namespace fnkit::observe
