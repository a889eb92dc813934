// Callers that spread their calls over many pipelines, chosen at random.
//   callers ADDRESS CONNECTIONS SECONDS RATE WORDS COUNT [refused]
// RATE 0: each connection calls again as soon as it is answered: the most that the program can do.
// Else so many calls a second, exponentially spaced, whatever the answers: a call's time counts
// from when it was due, so that those held up behind a slow one are slow too.
// Pipeline number n of COUNT is <word n mod |WORDS|>-<n in six digits>, WORDS being separated by
// commas: computed, so that ten names cost the callers what a hundred thousand do.
// Prints "calls failed nanoseconds p50 p99 p99.9 max", times in nanoseconds. With "refused" the
// failed ones are left out of the times, and a second line says "503s p50 p99 p99.9 max" of those,
// from when each was sent.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <random>
#include <unordered_map>
#include <vector>

#include "soak/sockets.hpp"

namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kLastAnswersWithin = 5 * kSecond;
constexpr std::string_view kBody = R"({"orderId":123})";

struct Options {
  std::string address;
  int connections = 0;
  int64_t duration = 0;
  double rate = 0;
  std::vector<std::string> words;
  size_t count = 0;
  bool refused_apart = false;
};

Options parse(char** arguments) {
  Options options;
  options.address = arguments[1];
  options.connections = std::atoi(arguments[2]);
  options.duration = static_cast<int64_t>(std::atof(arguments[3]) * 1e9);
  options.rate = std::atof(arguments[4]);
  std::string_view words = arguments[5];
  for (size_t comma = 0; comma != std::string_view::npos;) {
    comma = words.find(',');
    options.words.emplace_back(words.substr(0, comma));
    if (comma != std::string_view::npos) words.remove_prefix(comma + 1);
  }
  options.count = std::strtoul(arguments[6], nullptr, 10);
  options.refused_apart = arguments[7] != nullptr;
  if (options.connections < 1 || options.count < 1) soak::die("no connections, or no pipelines");
  return options;
}

class Callers {
 public:
  explicit Callers(const Options& options)
      : options_(options),
        name_(0, options.count - 1),
        gap_(std::max(options.rate, 1.0) / kSecond) {
    for (int i = 0; i < options.connections; ++i) {
      const int fd = soak::connect_to(options.address);
      poller_.add(fd);
      idle_.push_back(fd);
    }
  }

  void run() {
    began_ = soak::now();
    const int64_t until = began_ + options_.duration;
    const bool paced = options_.rate > 0;
    int64_t next = began_;
    int64_t time = began_;
    while (time < until || (paced && !all_answered() && time < until + kLastAnswersWithin)) {
      for (; paced && next <= time && next < until; next += gap()) due_.push_back(next);
      while (!idle_.empty() && (!paced || !due_.empty())) start_call(paced ? take_due() : time);
      poll(paced && next < until ? next : time < until ? until : until + kLastAnswersWithin);
      time = soak::now();
    }
    ended_ = time;
    if (paced) failed_ += due_.size() + calls_.size();
  }

  void report() {
    std::printf("%zu %zu %lld ", times_.size(), failed_, static_cast<long long>(ended_ - began_));
    print_parts(times_);
    if (!options_.refused_apart) return;
    std::printf("%zu ", refused_.size());
    print_parts(refused_);
  }

 private:
  bool all_answered() const { return due_.empty() && calls_.empty(); }

  void poll(int64_t until) {
    for (const epoll_event& event : poller_.wait(until)) answered(event.data.fd);
  }

  int64_t gap() { return static_cast<int64_t>(gap_(random_)); }

  int64_t take_due() {
    const int64_t due = due_.front();
    due_.pop_front();
    return due;
  }

  void start_call(int64_t due) {
    const int fd = idle_.back();
    idle_.pop_back();
    const size_t number = name_(random_);
    char digits[16];
    std::snprintf(digits, sizeof digits, "-%06zu", number);
    request_ = "POST /orchestrate/" + options_.words[number % options_.words.size()] + digits;
    request_ += " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: ";
    request_ += std::to_string(kBody.size());
    request_ += "\r\n\r\n";
    request_ += kBody;
    calls_[fd] = {due, soak::now(), {}};
    if (!soak::send_all(fd, request_)) soak::die("cannot send to " + options_.address);
  }

  void answered(int fd) {
    const auto found = calls_.find(fd);
    if (found == calls_.end()) soak::die("a connection ended, or was answered without a call");
    std::string& input = found->second.input;
    if (!soak::receive(fd, input)) soak::die("a connection ended");
    const soak::Message answer = soak::first_message(input);
    if (answer.bytes == 0) return;
    const bool good = answer.head.starts_with("HTTP/1.1 200 ") && answer.bytes == input.size();
    if (!good && failed_++ == 0) std::fprintf(stderr, "%s\n", input.c_str());
    const int64_t now = soak::now();
    if (good || !options_.refused_apart) times_.push_back(now - found->second.due);
    if (answer.head.starts_with("HTTP/1.1 503 ")) refused_.push_back(now - found->second.sent);
    calls_.erase(found);
    idle_.push_back(fd);
  }

  static void print_parts(std::vector<int64_t>& times) {
    std::sort(times.begin(), times.end());
    const auto part = [&](double share) {
      if (times.empty()) return 0LL;
      const auto index = share * static_cast<double>(times.size() - 1);
      return static_cast<long long>(times[static_cast<size_t>(index)]);
    };
    std::printf("%lld %lld %lld %lld\n", part(0.5), part(0.99), part(0.999), part(1.0));
  }

  struct Call {
    int64_t due = 0, sent = 0;
    std::string input;
  };

  const Options& options_;
  soak::Poller poller_;
  std::mt19937_64 random_{1};
  std::uniform_int_distribution<size_t> name_;
  std::exponential_distribution<double> gap_;
  std::vector<int> idle_;
  std::deque<int64_t> due_;              // paced calls that no connection was free for
  std::unordered_map<int, Call> calls_;  // in progress, by descriptor
  std::string request_;
  std::vector<int64_t> times_;
  std::vector<int64_t> refused_;
  size_t failed_ = 0;
  int64_t began_ = 0;
  int64_t ended_ = 0;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 7 && count != 8) {
    soak::die("usage: callers ADDRESS CONNECTIONS SECONDS RATE WORDS COUNT [refused]");
  }
  const Options options = parse(arguments);
  Callers callers(options);
  callers.run();
  callers.report();
}
