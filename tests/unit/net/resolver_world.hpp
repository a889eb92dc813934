// A resolver on the kernel's ring with a DNS server of its own: one made by hand that answers as it
// is told, or a real one.
#pragma once

#include <sys/types.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fnkit/coro/task_group.hpp"
#include "fnkit/net/resolver.hpp"

namespace fnkit::test {

constexpr uint16_t kA = 1, kCname = 5, kAaaa = 28;
constexpr unsigned kServFail = 2, kNxDomain = 3, kRefused = 5;

struct Question {
  std::string name;
  uint16_t type = 0;
  bool tcp = false;
  std::string message;  // as it came

  uint16_t id() const;
};

struct Record {
  uint16_t type;
  std::string value;  // an address, or the name a CNAME leads to
  uint32_t ttl = 1;
};

// The whole message; over UDP cut to 512 bytes' worth and marked so (RFC 1035 section 4.2.1).
std::string answer(const Question& question, const std::vector<Record>& records,
                   unsigned rcode = 0);

// Speaks UDP and TCP on one port of 127.0.0.1, whenever serve() is called.
class Responder {
 public:
  // What to send; an empty message is sent as such, kSilence is not.
  using Script = std::function<std::string(const Question&)>;
  static const std::string kSilence;

  explicit Responder(Script does);
  ~Responder();

  void serve();
  net::Address address() const { return address_; }
  // Distinct look-ups: what c-ares sends again has the same number.
  size_t look_ups(const std::string& name, uint16_t type = kA) const;
  // Answers what was met with silence so far.
  void answer_late(const Script& does);

  Script script;

 private:
  struct Caller {
    int tcp = -1;
    std::string peer;
  };
  void serve_udp();
  void serve_tcp(int fd);
  void take(Question question, const Caller& caller);
  void send(const Caller& caller, const std::string& message) const;

  int udp_ = -1;
  int listener_ = -1;
  net::Address address_;
  std::vector<int> connections_;
  std::map<std::string, std::vector<uint16_t>> asked_;  // "name type": numbers
  std::deque<std::pair<Question, Caller>> unanswered_;
};

// dnsmasq, over a hosts file that can be changed. The zone "test" is its own; of names elsewhere it
// can say nothing and refuses. Killed when destroyed.
class DnsServer {
 public:
  DnsServer(const std::string& hosts, unsigned ttl);
  ~DnsServer();

  // From now on it answers so.
  void change(const std::string& hosts);
  void signal(int number) const;
  net::Address address() const { return address_; }

 private:
  void start(unsigned ttl);
  bool has_started() const;

  std::string folder_;
  net::Address address_;
  pid_t pid_ = -1;
  int log_ = -1;  // what it says; open, so that it can go on saying it
};

struct Outcome {
  bool done = false;
  int error = 0;
  std::string text;  // the addresses, without their port; or why there is none
  size_t count = 0;
  Instant asked;
  Instant answered;
  Instant fresh_until;

  Duration took() const { return answered - asked; }
};

class ResolverWorld {
 public:
  explicit ResolverWorld(const net::ResolverOptions& options, Responder* responder = nullptr);
  ~ResolverWorld();

  ring::Ring& ring() { return *ring_; }
  net::Resolver& resolver() { return *resolver_; }
  coro::CancelScope& scope() { return scope_; }

  // Starts one; `outcome` tells.
  void resolve(const std::string& name, Outcome& outcome, Instant deadline = kNever);
  Outcome resolved(const std::string& name);
  // Turns, and lets the responder serve, until `condition` holds; false after `limit`.
  bool until(const std::function<bool()>& condition, Duration limit = std::chrono::seconds(20));
  // The same until a time.
  void pass(Instant end);

 private:
  coro::Task<void> run(std::string name, Instant deadline, Outcome& outcome);

  std::unique_ptr<ring::Ring> ring_;
  ring::Timer look_again_;  // ends a turn in which nothing happens
  std::unique_ptr<net::Resolver> resolver_;
  Responder* responder_;
  coro::CancelScope scope_;
  coro::TaskGroup tasks_;
};

}  // namespace fnkit::test
