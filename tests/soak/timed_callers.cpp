// Callers that measure how long their calls wait: latency less the time that the function says it
// took. timed_callers [--each] SECONDS NAME,ADDRESS,PIPELINE,CALLERS,PAUSE_US... has each group's
// callers call, one call after another, with a random pause of at most PAUSE_US between two.
// Prints "NAME calls failed p50 p99 max" for each group, the waits in nanoseconds; with --each
// "call NAME SENT WAIT" of each good call before it, SENT in nanoseconds of the monotonic clock.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <compare>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <vector>

#include "soak/sockets.hpp"

namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kFirstCallWithin = kSecond / 4;  // so that callers do not go in step
constexpr int64_t kLastAnswersWithin = 10 * kSecond;

struct Wait {
  int64_t nanoseconds = 0, sent = 0;
  auto operator<=>(const Wait&) const = default;
};

struct Group {
  std::string name, address, pipeline;
  int callers = 0;
  int64_t pause_max = 0;
  std::vector<Wait> waits;
  size_t failed = 0;
};

struct Caller {
  Group* group = nullptr;
  std::string input, body;
  int64_t sent = 0;  // 0: no call is in progress
};

Group parse_group(std::string_view text) {
  std::vector<std::string> parts;
  for (size_t comma = 0; comma != std::string_view::npos;) {
    comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma != std::string_view::npos) text.remove_prefix(comma + 1);
  }
  if (parts.size() != 5) soak::die("not NAME,ADDRESS,PIPELINE,CALLERS,PAUSE_US");
  Group group;
  group.name = parts[0], group.address = parts[1], group.pipeline = parts[2];
  group.callers = std::atoi(parts[3].c_str());
  group.pause_max = std::atoll(parts[4].c_str()) * 1000;
  return group;
}

class Callers {
 public:
  Callers(std::vector<Group>& groups, int64_t until) : until_(until) {
    for (Group& group : groups) {
      for (int i = 0; i < group.callers; ++i) add(group);
    }
  }

  void run() {
    int64_t time = soak::now();
    while (time < until_ || (in_progress_ > 0 && time < until_ + kLastAnswersWithin)) {
      while (!planned_.empty() && planned_.begin()->first <= time) start_call();
      const int64_t wake = planned_.empty() ? until_ + kLastAnswersWithin : planned_.begin()->first;
      for (const epoll_event& event : poller_.wait(wake)) answered(event.data.fd);
      time = soak::now();
      if (time >= until_) planned_.clear();
    }
    for (auto& [fd, caller] : callers_) caller.group->failed += caller.sent != 0;
  }

 private:
  void add(Group& group) {
    const int fd = soak::connect_to(group.address);
    poller_.add(fd);
    callers_[fd].group = &group;
    plan(fd, kFirstCallWithin);
  }

  void plan(int fd, int64_t pause_max) {
    std::uniform_int_distribution<int64_t> pause(0, pause_max);
    planned_.insert({soak::now() + pause(random_), fd});
  }

  void start_call() {
    const int fd = planned_.begin()->second;
    planned_.erase(planned_.begin());
    Caller& caller = callers_[fd];
    caller.body = "{\"call\":" + std::to_string(++calls_) + "}";
    const std::string request = "POST /orchestrate/" + caller.group->pipeline +
                                " HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\n"
                                "Content-Length: " +
                                std::to_string(caller.body.size()) + "\r\n\r\n" + caller.body;
    caller.sent = soak::now();
    ++in_progress_;
    if (!soak::send_all(fd, request)) soak::die("cannot send to " + caller.group->address);
  }

  void answered(int fd) {
    Caller& caller = callers_[fd];
    if (!soak::receive(fd, caller.input)) soak::die(caller.group->name + ": the connection ended");
    const soak::Message answer = soak::first_message(caller.input);
    if (answer.bytes == 0) return;
    if (!count(caller, answer, soak::now() - caller.sent)) {
      ++caller.group->failed;
      std::fprintf(stderr, "%s, sent %s: %s\n", caller.group->name.c_str(), caller.body.c_str(),
                   caller.input.c_str());
    }
    caller.input.clear();
    caller.sent = 0;
    --in_progress_;
    plan(fd, caller.group->pause_max);
  }

  // False when it is not this call's good answer. In pipelines of several steps one of them was
  // given what the caller sent, and one says how long it took: that of the first in the answer.
  static bool count(Caller& caller, const soak::Message& answer, int64_t latency) {
    constexpr std::string_view kGood = "HTTP/1.1 200 ", kService = "\"service_ns\":";
    const size_t at = answer.body.find(kService);
    if (!answer.head.starts_with(kGood) || at == std::string_view::npos) return false;
    if (answer.body.find("\"echo\":" + caller.body + ",") == std::string_view::npos) return false;
    int64_t service = 0;
    std::from_chars(answer.body.data() + at + kService.size(),
                    answer.body.data() + answer.body.size(), service);
    caller.group->waits.push_back({latency - service, caller.sent});
    return caller.input.size() == answer.bytes;
  }

  const int64_t until_;
  soak::Poller poller_;
  std::map<int, Caller> callers_;
  std::set<std::pair<int64_t, int>> planned_;  // when, whose
  std::mt19937_64 random_{1};
  size_t calls_ = 0;
  size_t in_progress_ = 0;
};

void report_each(const Group& group) {
  for (const Wait& wait : group.waits) {
    std::printf("call %s %lld %lld\n", group.name.c_str(), static_cast<long long>(wait.sent),
                static_cast<long long>(wait.nanoseconds));
  }
}

void report(Group& group) {
  std::sort(group.waits.begin(), group.waits.end());
  const auto part = [&](double share) -> long long {
    if (group.waits.empty()) return 0;
    return group.waits[static_cast<size_t>(share * static_cast<double>(group.waits.size() - 1))]
        .nanoseconds;
  };
  std::printf("%s %zu %zu %lld %lld %lld\n", group.name.c_str(), group.waits.size(), group.failed,
              part(0.5), part(0.99), part(1.0));
}

}  // namespace

int main(int count, char** arguments) {
  const bool each = count > 1 && std::string_view(arguments[1]) == "--each";
  const int first = each ? 2 : 1;
  if (count < first + 2) soak::die("usage: timed_callers [--each] SECONDS GROUP...");
  std::vector<Group> groups;
  for (int i = first + 1; i < count; ++i) groups.push_back(parse_group(arguments[i]));
  const auto nanoseconds = static_cast<int64_t>(std::atof(arguments[first]) * 1e9);
  Callers(groups, soak::now() + nanoseconds).run();
  for (Group& group : groups) {
    if (each) report_each(group);
    report(group);
  }
}
