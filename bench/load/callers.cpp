// Callers that spread their calls over many pipelines, chosen at random.
//   callers ADDRESS CONNECTIONS SECONDS RATE WORDS COUNT [refused] [unsent] [body=BYTES]
//           [token=TOKEN]
// RATE 0: each connection calls again as soon as it is answered: the most that the program can do.
// Else so many calls a second, exponentially spaced, whatever the answers: a call's time counts
// from when it was due, so that those held up behind a slow one are slow too.
// Pipeline number n of COUNT is <word n mod |WORDS|>-<n in six digits>, WORDS being separated by
// commas: computed, so that ten names cost the callers what a hundred thousand do.
// A body of BYTES of JSON, 15 unless told; with TOKEN each call says "Authorization: Bearer TOKEN".
// Prints "calls failed nanoseconds p50 p99 p99.9 max", times in nanoseconds. With "refused" the
// failed ones are left out of the times, and a second line says "503s p50 p99 p99.9 max" of those,
// from when each was sent. Calls that were due and found no connection free until the end are
// failed ones too; with "unsent" they are not, and a last line says how many.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <random>
#include <unordered_map>
#include <utility>
#include <vector>

#include "load/loop.hpp"
#include "soak/sockets.hpp"

namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kLastAnswersWithin = 5 * kSecond;

// `bytes` of JSON, or as many as it needs at least.
std::string make_body(size_t bytes) {
  std::string body = R"({"orderId":123})";
  constexpr std::string_view kFiller = R"(,"filler":"")";
  if (bytes > body.size() + kFiller.size()) {
    std::string filler(kFiller.substr(0, kFiller.size() - 1));
    filler.append(bytes - body.size() - kFiller.size(), 'x');
    body.insert(body.size() - 1, filler + '"');
  }
  return body;
}

struct Options {
  std::string address;
  int connections = 0;
  int64_t duration = 0;
  double rate = 0;
  std::vector<std::string> words;
  size_t count = 0;
  bool refused_apart = false;
  bool unsent_apart = false;
  std::string after_path;  // of every request
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
  std::string body = make_body(0), token;
  for (char** more = arguments + 7; *more != nullptr; ++more) {
    const std::string_view word = *more;
    if (word == "refused") options.refused_apart = true;
    if (word == "unsent") options.unsent_apart = true;
    if (word.starts_with("body=")) body = make_body(std::strtoul(*more + 5, nullptr, 10));
    if (word.starts_with("token="))
      token = "Authorization: Bearer " + std::string(*more + 6) + "\r\n";
  }
  options.after_path = " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n" + token +
                       "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  if (options.connections < 1 || options.count < 1) soak::die("no connections, or no pipelines");
  return options;
}

class Callers final : bench::Loop::Handler {
 public:
  explicit Callers(const Options& options)
      : options_(options),
        name_(0, options.count - 1),
        gap_(std::max(options.rate, 1.0) / kSecond),
        loop_(*this) {
    for (int i = 0; i < options.connections; ++i) {
      const int fd = soak::connect_to(options.address);
      loop_.receive(fd);
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
      if (options_.unsent_apart && time >= until) unsent_ += std::exchange(due_, {}).size();
      while (!idle_.empty() && (!paced || !due_.empty())) start_call(paced ? take_due() : time);
      loop_.turn(paced && next < until ? next : time < until ? until : until + kLastAnswersWithin);
      time = soak::now();
    }
    ended_ = time;
    if (paced) failed_ += due_.size() + in_progress_;
  }

  void report() {
    std::printf("%zu %zu %lld ", times_.size(), failed_, static_cast<long long>(ended_ - began_));
    print_parts(times_);
    if (options_.refused_apart) {
      std::printf("%zu ", refused_.size());
      print_parts(refused_);
    }
    if (options_.unsent_apart) std::printf("%zu\n", unsent_);
  }

 private:
  bool all_answered() const { return due_.empty() && in_progress_ == 0; }

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
    Call& call = calls_[fd];
    ++in_progress_;
    call.in_progress = true;
    call.due = due;
    call.sent = soak::now();
    call.request = "POST /orchestrate/" + options_.words[number % options_.words.size()] + digits;
    call.request += options_.after_path;
    loop_.send(fd, call.request);
  }

  void accepted(int /*fd*/) override {}
  void sent(int /*fd*/) override {}

  void received(int fd, std::string_view input) override {
    Call& call = calls_[fd];
    if (input.empty()) soak::die("a connection ended");
    if (!call.in_progress) soak::die("a connection was answered without a call");
    if (!call.input.empty()) input = call.input.append(input);
    const soak::Message answer = soak::first_message(input);
    if (answer.bytes == 0) {
      if (call.input.empty()) call.input = input;
      return;
    }
    const bool good = answer.head.starts_with("HTTP/1.1 200 ") && answer.bytes == input.size();
    if (!good && failed_++ == 0) {
      std::fprintf(stderr, "%.*s\n", static_cast<int>(input.size()), input.data());
    }
    const int64_t now = soak::now();
    if (good || !options_.refused_apart) times_.push_back(now - call.due);
    if (answer.head.starts_with("HTTP/1.1 503 ")) refused_.push_back(now - call.sent);
    call.in_progress = false;
    call.input.clear();
    --in_progress_;
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
    bool in_progress = false;
    int64_t due = 0, sent = 0;
    std::string input;    // of an answer that comes in pieces
    std::string request;  // stays until the next: the kernel may still read it
  };

  const Options& options_;
  std::mt19937_64 random_{1};
  std::uniform_int_distribution<size_t> name_;
  std::exponential_distribution<double> gap_;
  std::vector<int> idle_;
  std::deque<int64_t> due_;              // paced calls that no connection was free for
  std::unordered_map<int, Call> calls_;  // the last of each descriptor
  size_t in_progress_ = 0;
  std::vector<int64_t> times_;
  std::vector<int64_t> refused_;
  size_t failed_ = 0;
  size_t unsent_ = 0;
  int64_t began_ = 0;
  int64_t ended_ = 0;
  bench::Loop loop_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count < 7) {
    soak::die(
        "usage: callers ADDRESS CONNECTIONS SECONDS RATE WORDS COUNT [refused] [unsent] "
        "[body=BYTES] [token=TOKEN]");
  }
  const Options options = parse(arguments);
  Callers callers(options);
  callers.run();
  callers.report();
}
