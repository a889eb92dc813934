#include "resolver_world.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <tuple>

#include "fnkit/base/text.hpp"
#include "fnkit/net/listener.hpp"

namespace fnkit::test {
namespace {

constexpr size_t kHeaderBytes = 12;
constexpr size_t kUdpBytesMax = 512;

std::string u16(size_t value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}
uint16_t read_u16(const std::string& bytes, size_t at) {
  return static_cast<uint16_t>(static_cast<uint8_t>(bytes.at(at)) << 8 |
                               static_cast<uint8_t>(bytes.at(at + 1)));
}

// Where the name at `at` ends; its text goes to `name`.
size_t read_name(const std::string& bytes, size_t at, std::string& name) {
  while (const auto length = static_cast<uint8_t>(bytes.at(at))) {
    if (!name.empty()) name += '.';
    name += bytes.substr(at + 1, length);
    at += length + 1U;
  }
  return at + 1;
}

std::string name_bytes(const std::string& name) {
  std::string bytes;
  for (const std::string_view label : split(name, '.')) {
    bytes += static_cast<char>(label.size());
    bytes += label;
  }
  return bytes + '\0';
}

std::string record_bytes(const Record& record, const std::string& owner) {
  std::string data;
  if (record.type == kCname) {
    data = name_bytes(record.value);
  } else {
    data.resize(record.type == kA ? 4 : 16);
    REQUIRE(inet_pton(record.type == kA ? AF_INET : AF_INET6, record.value.c_str(), data.data()) ==
            1);
  }
  return owner + u16(record.type) + u16(1) + u16(record.ttl >> 16) + u16(record.ttl & 0xffff) +
         u16(data.size()) + data;
}

Question read_question(std::string message, bool tcp) {
  Question question;
  const size_t end = read_name(message, kHeaderBytes, question.name);
  question.type = read_u16(message, end);
  question.tcp = tcp;
  question.message = std::move(message);
  return question;
}

// A UDP socket and a TCP listener on one port that the kernel has chosen.
std::pair<int, int> open_both() {
  for (int tries = 0; tries < 100; ++tries) {
    const int udp = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(udp, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    const Result<net::Address> chosen = net::Address::of_socket(udp);
    const Result<int> listener = net::open_listener(*chosen, net::ListenAs::sole);
    if (listener) {
      ::fcntl(*listener, F_SETFL, O_NONBLOCK);
      return {udp, *listener};
    }
    ::close(udp);
  }
  REQUIRE(false);
  return {};
}

std::string find_dnsmasq() {
  const char* path = std::getenv("PATH");
  const std::string folders = std::string(path != nullptr ? path : "") + ":/usr/sbin:/sbin";
  for (const std::string_view folder : split(folders, ':')) {
    const std::string program = std::string(folder) + "/dnsmasq";
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  return "";
}

}  // namespace

uint16_t Question::id() const { return read_u16(message, 0); }

std::string answer(const Question& question, const std::vector<Record>& records, unsigned rcode) {
  std::string ignored;
  const size_t end = read_name(question.message, kHeaderBytes, ignored) + 4;
  const std::string asked = question.message.substr(kHeaderBytes, end - kHeaderBytes);
  std::string body;
  std::string owner = u16(0xc000 + kHeaderBytes);  // points at the question's name
  size_t count = 0;
  bool cut = false;
  for (const Record& record : records) {
    const std::string more = record_bytes(record, owner);
    cut = !question.tcp && kHeaderBytes + asked.size() + body.size() + more.size() > kUdpBytesMax;
    if (cut) break;
    body += more;
    ++count;
    if (record.type == kCname) owner = name_bytes(record.value);
  }
  const size_t flags = 0x8180U | (cut ? 0x0200U : 0U) | rcode;
  return question.message.substr(0, 2) + u16(flags) + u16(1) + u16(count) + u16(0) + u16(0) +
         asked + body;
}

const std::string Responder::kSilence = "(silence)";

Responder::Responder(Script does) : script(std::move(does)) {
  std::tie(udp_, listener_) = open_both();
  address_ = *net::Address::of_socket(udp_);
}

Responder::~Responder() {
  for (const int fd : connections_) ::close(fd);
  ::close(udp_);
  ::close(listener_);
}

size_t Responder::look_ups(const std::string& name, uint16_t type) const {
  const auto found = asked_.find(name + " " + std::to_string(type));
  return found == asked_.end() ? 0 : found->second.size();
}

void Responder::serve() {
  serve_udp();
  int fd = -1;
  while ((fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
    connections_.push_back(fd);
  }
  for (const int connection : connections_) serve_tcp(connection);
}

void Responder::serve_udp() {
  std::array<char, 4096> bytes;
  while (true) {
    Caller caller;
    caller.peer.resize(sizeof(sockaddr_storage));
    auto length = static_cast<socklen_t>(caller.peer.size());
    const ssize_t got = ::recvfrom(udp_, bytes.data(), bytes.size(), 0,
                                   reinterpret_cast<sockaddr*>(caller.peer.data()), &length);
    if (got < 0) return;
    caller.peer.resize(length);
    take(read_question({bytes.data(), static_cast<size_t>(got)}, false), caller);
  }
}

// c-ares sends a message in one piece, and loopback keeps it so.
void Responder::serve_tcp(int fd) {
  std::array<char, 4096> bytes;
  const ssize_t got = ::recv(fd, bytes.data(), bytes.size(), 0);
  std::string rest(bytes.data(), static_cast<size_t>(std::max<ssize_t>(got, 0)));
  while (rest.size() >= 2) {
    const size_t length = read_u16(rest, 0);
    REQUIRE(rest.size() >= 2 + length);
    take(read_question(rest.substr(2, length), true), {fd, ""});
    rest.erase(0, 2 + length);
  }
}

void Responder::take(Question question, const Caller& caller) {
  std::vector<uint16_t>& ids = asked_[question.name + " " + std::to_string(question.type)];
  if (std::find(ids.begin(), ids.end(), question.id()) == ids.end()) ids.push_back(question.id());
  const std::string message = script(question);
  if (message == kSilence) {
    unanswered_.emplace_back(std::move(question), caller);
  } else {
    send(caller, message);
  }
}

void Responder::answer_late(const Script& does) {
  for (const auto& [question, caller] : unanswered_) send(caller, does(question));
  unanswered_.clear();
}

void Responder::send(const Caller& caller, const std::string& message) const {
  if (caller.tcp >= 0) {
    const std::string whole = u16(message.size()) + message;
    ::send(caller.tcp, whole.data(), whole.size(), MSG_NOSIGNAL);
  } else {
    ::sendto(udp_, message.data(), message.size(), 0,
             reinterpret_cast<const sockaddr*>(caller.peer.data()),
             static_cast<socklen_t>(caller.peer.size()));
  }
}

DnsServer::DnsServer(const std::string& hosts, unsigned ttl) {
  folder_ = (std::filesystem::temp_directory_path() / "fnkit-dns-XXXXXX").string();
  REQUIRE(::mkdtemp(folder_.data()) != nullptr);
  std::ofstream(folder_ + "/hosts") << hosts;
  // Another process may take the port in the moment between.
  for (int tries = 0; tries < 10 && pid_ < 0; ++tries) start(ttl);
  REQUIRE(pid_ > 0);
}

DnsServer::~DnsServer() {
  signal(SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::close(log_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void DnsServer::start(unsigned ttl) {
  const auto [udp, listener] = open_both();
  address_ = *net::Address::of_socket(udp);
  ::close(udp);
  ::close(listener);
  std::vector<std::string> words = {find_dnsmasq(),
                                    "--no-daemon",
                                    "--conf-file=/dev/null",
                                    "--no-resolv",
                                    "--no-hosts",
                                    "--addn-hosts=" + folder_ + "/hosts",
                                    "--local=/test/",
                                    "--cname=alias.test,both.test",
                                    "--txt-record=text.test,no-address",
                                    "--local-ttl=" + std::to_string(ttl),
                                    "--listen-address=127.0.0.1",
                                    "--bind-interfaces",
                                    "--port=" + std::to_string(address_.port())};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<int, 2> log{};
  REQUIRE(::pipe2(log.data(), O_CLOEXEC) == 0);
  pid_ = ::fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that crashes leaves no server behind
    ::dup2(log[1], STDERR_FILENO);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(log[1]);
  log_ = log[0];
  if (has_started()) return;
  ::waitpid(std::exchange(pid_, -1), nullptr, 0);
  ::close(std::exchange(log_, -1));
}

// It says so once it has bound its sockets; it ends where it cannot.
bool DnsServer::has_started() const {
  std::string said;
  std::array<char, 512> bytes;
  while (said.find("started, version") == std::string::npos) {
    const ssize_t got = ::read(log_, bytes.data(), bytes.size());
    if (got <= 0) return false;
    said.append(bytes.data(), static_cast<size_t>(got));
  }
  return true;
}

void DnsServer::change(const std::string& hosts) {
  std::ofstream(folder_ + "/hosts.new") << hosts;
  std::filesystem::rename(folder_ + "/hosts.new", folder_ + "/hosts");
  signal(SIGHUP);
}

void DnsServer::signal(int number) const { ::kill(pid_, number); }

ResolverWorld::ResolverWorld(const net::ResolverOptions& options, Responder* responder)
    : look_again_([](void*) {}, nullptr), responder_(responder) {
  Result<std::unique_ptr<ring::Ring>, ring::RingForbidden> made = ring::make_kernel_ring();
  REQUIRE(made);
  ring_ = std::move(made).value();
  resolver_ = std::make_unique<net::Resolver>(*ring_, options);
}

ResolverWorld::~ResolverWorld() {
  ring_->run(resolver_->close());
  const bool ended = until([this] { return tasks_.running() == 0; });
  REQUIRE(ended);
}

void ResolverWorld::resolve(const std::string& name, Outcome& outcome, Instant deadline) {
  outcome.asked = ring_->now();
  tasks_.spawn(run(name, deadline, outcome));
}

coro::Task<void> ResolverWorld::run(std::string name, Instant deadline, Outcome& outcome) {
  Result<net::Resolved> found = co_await resolver_->resolve(std::move(name), 80, deadline, scope_);
  outcome.done = true;
  outcome.answered = ring_->now();
  if (!found) {
    outcome.error = found.error().code;
    outcome.text = found.error().message;
    co_return;
  }
  outcome.fresh_until = found->fresh_until;
  outcome.count = found->addresses.size();
  for (const net::Address& address : found->addresses) {
    const std::string text = address.to_text();
    outcome.text += (outcome.text.empty() ? "" : " ") + text.substr(0, text.rfind(':'));
  }
}

Outcome ResolverWorld::resolved(const std::string& name) {
  Outcome outcome;
  resolve(name, outcome);
  const bool done = until([&] { return outcome.done; });
  REQUIRE(done);
  return outcome;
}

bool ResolverWorld::until(const std::function<bool()>& condition, Duration limit) {
  const Instant end = later(ring_->now(), limit);
  while (!condition() && ring_->now() < end) {
    if (responder_ != nullptr) responder_->serve();
    ring_->timers().arm(look_again_, later(ring_->now(), std::chrono::milliseconds(2)));
    ring_->turn();
  }
  look_again_.unlink();
  return condition();
}

void ResolverWorld::pass(Instant end) {
  until([&] { return ring_->now() >= end; }, end - ring_->now() + std::chrono::seconds(1));
}

}  // namespace fnkit::test
