#include "simulation/sim_function.hpp"

#include <cstdio>
#include <cstdlib>

namespace fnkit::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Longer than any call may take: a connection that was frozen is given up by its function then.
constexpr Duration kPatience = seconds(20);

// The value of a header line in `head`, whose names are in lower case.
std::string header(std::string_view head, std::string_view name) {
  const std::string line = "\r\n" + std::string(name) + ": ";
  const size_t at = head.find(line);
  if (at == head.npos) return {};
  const size_t from = at + line.size();
  return std::string(head.substr(from, head.find("\r\n", from) - from));
}

unsigned id_in(std::string_view head) {
  const std::string value = header(head, "x-request-id");
  return value.starts_with("req-")
             ? static_cast<unsigned>(std::strtoul(value.c_str() + 4, nullptr, 10))
             : 0;
}

std::string chunked(const std::string& body, Random& random) {
  std::string made;
  for (size_t at = 0; at < body.size();) {
    const size_t bytes = 1 + static_cast<size_t>(random.below(3000));
    const std::string piece = body.substr(at, bytes);
    char size[16];
    std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
    made += size + piece + "\r\n";
    at += piece.size();
  }
  return made + "0\r\n\r\n";
}

}  // namespace

SimFunction::SimFunction(SimulatedRing& ring, std::string name, const net::Address& address,
                         FunctionManners manners, Witness& witness, uint64_t seed)
    : ring_(ring),
      name_(std::move(name)),
      manners_(manners),
      witness_(witness),
      random_(seed),
      listener_(ring, ring.listen(address)) {}

coro::Task<void> SimFunction::run() {
  while (true) {
    Result<int> connection = co_await listener_.accept();
    if (!connection) break;
    connections_.spawn(serve(*connection));
  }
  co_await listener_.close();
  co_await connections_.join();
}

coro::Task<void> SimFunction::serve(int fd) {
  net::Stream stream(ring_, fd);
  bool open = true;
  while (open) {
    const bool early = manners_.faults > 0 && random_.chance(3);
    std::optional<Call> call = co_await read(stream, early);
    if (!call) break;
    if (early) {
      const std::string body = "<" + std::to_string(call->id) + "> is too much";
      const std::string bytes = message("413 Content Too Large", "", body);
      co_await say(stream, bytes);
      break;
    }
    witness_.input_came(name_, call->id, call->target, call->body);
    open = co_await answer(stream, fd, *call);
  }
  co_await stream.close();
}

// The next call; nothing where none comes.
coro::Task<std::optional<SimFunction::Call>> SimFunction::read(net::Stream& stream,
                                                               bool head_only) {
  while (true) {
    std::optional<Call> call = take_call(stream.input(), head_only);
    if (call) co_return call;
    Result<size_t> received = co_await stream.receive(later(ring_.now(), kPatience));
    if (received && *received > 0) continue;
    // What was sent in part was sent.
    const std::string_view rest = stream.input().view();
    const size_t head_end = rest.find("\r\n\r\n");
    if (head_end != rest.npos && id_in(rest) != 0) {
      witness_.called(name_, id_in(rest), rest.starts_with("GET"));
    }
    co_return std::nullopt;
  }
}

std::optional<SimFunction::Call> SimFunction::take_call(Buffer& input, bool head_only) {
  const std::string_view bytes = input.view();
  const size_t head_end = bytes.find("\r\n\r\n");
  if (head_end == bytes.npos) return std::nullopt;
  const std::string_view head = bytes.substr(0, head_end + 2);
  const size_t length = std::strtoul(header(head, "content-length").c_str(), nullptr, 10);
  const size_t here = head_only ? 0 : length;
  if (bytes.size() < head_end + 4 + here) return std::nullopt;
  Call call;
  const size_t method_end = head.find(' ');
  call.method = head.substr(0, method_end);
  call.target = head.substr(method_end + 1, head.find(' ', method_end + 1) - method_end - 1);
  call.id = id_in(head);
  call.body = bytes.substr(head_end + 4, here);
  input.consume(head_end + 4 + here);
  witness_.called(name_, call.id, call.method == "GET");
  if (manners_.doubles && random_.chance(20)) witness_.called(name_, call.id, false);
  return call;
}

std::string SimFunction::message(const std::string& status, const std::string& more_headers,
                                 const std::string& body) const {
  return "HTTP/1.1 " + status + "\r\nContent-Type: " + content_type() + "\r\n" + more_headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

coro::Task<bool> SimFunction::say(net::Stream& stream, const std::string& bytes) {
  const std::string_view part = bytes;
  stream.start_send({&part, 1}, ring::SendMode::prompt, kPatience);
  Result<void> sent = co_await stream.sent();
  co_return static_cast<bool>(sent);
}

// True where the connection stays open.
coro::Task<bool> SimFunction::answer(net::Stream& stream, int fd, const Call& call) {
  const unsigned answered_id =
      manners_.mixes_up && last_id_ != 0 && random_.chance(30) ? last_id_ : call.id;
  last_id_ = call.id;
  const std::string input = answered_id == call.id ? call.body : std::string();
  const std::string body = made_by(name_, answered_id, input);
  if (random_.chance(40)) co_await pause(ring_, milliseconds(random_.below(100)));
  if (random_.chance(manners_.faults)) {
    const std::string good = message("200 OK", "", body);
    const bool open = co_await answer_badly(stream, fd, call, good);
    co_return open;
  }
  const bool open = co_await answer_oddly(stream, body);
  if (!open || !manners_.talks_unasked) co_return open;
  const std::string poison = message("200 OK", "", "<0> nobody asked for this");
  if (random_.chance(40)) {
    co_await pause(ring_, milliseconds(random_.below(200)));
    const bool said = co_await say(stream, poison);
    co_return said;
  }
  co_return true;
}

// All that HTTP allows.
coro::Task<bool> SimFunction::answer_oddly(net::Stream& stream, const std::string& body) {
  std::string bytes = message("200 OK", "", body);
  bool stays = true;
  switch (random_.below(8)) {
    case 0:
      bytes = "HTTP/1.1 201 Created\r\nContent-Type: " + content_type() +
              "\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body, random_);
      bytes.replace(9, 11, "200 OK");
      break;
    case 1: bytes.insert(0, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"); break;
    case 2:
      bytes = "HTTP/1.1 200 OK\r\nContent-Type: " + content_type() + "\r\n\r\n" + body;
      stays = false;
      break;
    case 3:
      // Whatever follows "close" is not HTTP's any more (RFC 9112 section 9.6).
      bytes = message("200 OK", "Connection: close\r\n", body) + message("200 OK", "", "<0>");
      stays = false;
      break;
    case 4: bytes = message("200 OK", "Keep-Alive: timeout=2\r\n", body); break;
    default: break;
  }
  const bool said = co_await say(stream, bytes);
  co_return said&& stays;
}

// What a call gets instead of its answer.
struct SimFunction::Mishap {
  std::string bytes;
  bool breaks = false;  // then the connection breaks; else it ends in an orderly way
  bool stays = false;   // it goes on
};

SimFunction::Mishap SimFunction::mishap(const Call& call, const std::string& good) {
  const std::string own = "<" + std::to_string(call.id) + "> is sorry";
  const size_t part = random_.below(good.size());
  switch (random_.below(8)) {
    case 0: return {{}, true};
    case 1: return {};  // an end instead of an answer
    case 2: return {good.substr(0, part)};
    case 3: return {good.substr(0, part), true};
    case 4: return {message("500 Oops", "", own), false, true};
    case 5: return {message("302 Found", "Location: /\r\n", own), false, true};
    case 6: return {"\x15\x03\x01 no HTTP at all\r\n\r\n"};
    default: return {good};  // an end that was not announced
  }
}

coro::Task<bool> SimFunction::answer_badly(net::Stream& stream, int fd, const Call& call,
                                           const std::string& good) {
  const uint64_t chance = random_.below(100);
  if (chance < 10) {
    co_await pause(ring_, seconds(3));  // longer than a step may take
    co_return false;
  }
  if (chance < 15) {
    ring_.freeze(fd);  // the network goes silent
    co_return true;
  }
  const Mishap what = mishap(call, good);
  if (!what.bytes.empty()) {
    const bool said = co_await say(stream, what.bytes);
    if (!said) co_return false;
  }
  if (what.breaks) ring_.kill(fd);
  co_return what.stays;
}

}  // namespace fnkit::test
