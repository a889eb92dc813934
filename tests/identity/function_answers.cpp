// How a function answers: what a FunctionConnection writes, cuts and does after it.
#include <algorithm>
#include <cmath>

#include "function_connection.hpp"

namespace identity {
namespace {

constexpr size_t kTwiceBytesMax = 8 * 1024;
constexpr size_t kSmallWritesMax = 48;

End draw_end(const Character& of, Random& random) {
  const std::pair<End, uint64_t> ends[] = {
      {End::refuse, of.refuse}, {End::polite, of.polite},   {End::abrupt, of.abrupt},
      {End::reset, of.reset},   {End::broken, of.broken},   {End::cut, of.cut},
      {End::twice, of.twice},   {End::garbage, of.garbage},
  };
  uint64_t drawn = random.below(10000);
  for (const auto& [end, rate] : ends) {
    if (drawn < rate) return end;
    drawn -= rate;
  }
  return End::none;
}

// 50 µs to 20 ms, as many short ones as long ones by their logarithm.
Nanoseconds draw_delay(Random& random) {
  const double exponent = static_cast<double>(random.below(1000)) / 1000;
  return static_cast<Nanoseconds>(50'000 * std::pow(400.0, exponent));
}

void append_chunks(std::string& out, std::string_view body, Random& random) {
  while (!body.empty()) {
    const size_t most = random.happens(3000) ? 3 : body.size();
    const size_t size = std::min(body.size(), 1 + random.below(most));
    char line[24];
    std::snprintf(line, sizeof line, random.happens(5000) ? "%zx" : "%zX", size);
    out += line;
    if (random.happens(1000)) out += ";name=value";
    out += "\r\n";
    out += body.substr(0, size);
    out += "\r\n";
    body.remove_prefix(size);
  }
}

std::string_view draw_garbage(Random& random) {
  constexpr std::string_view kGarbage[] = {
      "SSH-2.0-OpenSSH_9.2\r\n",
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
      "HTTP/1.1 2x0 OK\r\ncontent-length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n123456",
      "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
      "<html>\r\n\r\n",
  };
  return kGarbage[random.below(std::size(kGarbage))];
}

// More than the answer, or one that has only begun.
std::string second_answer(Random& random) {
  const std::string whole = answer_to_nothing();
  return random.happens(8000) ? whole : whole.substr(0, 1 + random.below(whole.size() - 1));
}

}  // namespace

void FunctionConnection::answer(const Call& call, const Message& message) {
  Random random = function_.random(*call.id);
  if (random.happens(function_.character.delay)) act(Act::Kind::pause, draw_delay(random));
  const End end = draw_end(function_.character, random);
  switch (end) {
    case End::reset: return act(Act::Kind::reset);
    case End::refuse:
      return write_answer(500, refusal(call.id->to_text(), function_.name), end, random);
    case End::garbage:
      out_ += draw_garbage(random);
      act(Act::Kind::pause, kMillisecond);
      return act(Act::Kind::close);
    default: break;
  }
  Message answered = message;
  answered.by += function_.name;
  if (function_.character.chunk + function_.character.split + function_.character.early == 0 &&
      end == End::none) {
    // The usual case: no copy of the payload but the one.
    const std::string head = answered.head();
    out_ += "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ";
    out_ += std::to_string(head.size() + answered.size + Message::kEnd.size());
    out_ += "\r\n\r\n";
    out_ += head;
    out_ += answered.payload();
    out_ += Message::kEnd;
    return;
  }
  std::string body;
  answered.append_to(body);
  write_answer(200, body, end, random);
}

void FunctionConnection::write_answer(int status, const std::string& body, End end,
                                      Random& random) {
  const bool is_json = status == 200;
  const bool second = end == End::twice && body.size() < kTwiceBytesMax;
  size_t begin = out_.size();
  if (end != End::broken && random.happens(function_.character.early)) {
    out_ += "HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n";
    if (random.happens(5000)) act(Act::Kind::pause, 100 * kMicrosecond);
  }
  const bool chunked = random.happens(function_.character.chunk);
  const bool until_end = end == End::polite && !chunked && random.happens(5000);
  out_ += "HTTP/1.1 " + std::to_string(status) + (is_json ? " OK" : " Refused");
  out_ += is_json ? "\r\ncontent-type: application/json" : "\r\ncontent-type: text/plain";
  if (end == End::polite) out_ += "\r\nconnection: close";
  // What is cut lacks a part of the body, so that it cannot pass for a whole one.
  std::string_view sent = body;
  if (end == End::cut) sent.remove_suffix(1 + random.below(body.size()));
  if (chunked) {
    out_ += "\r\ntransfer-encoding: chunked\r\n\r\n";
    append_chunks(out_, sent, random);
    if (end != End::cut) out_ += "0\r\n\r\n";
  } else {
    if (!until_end) out_ += "\r\ncontent-length: " + std::to_string(body.size());
    out_ += "\r\n\r\n";
    out_ += sent;
  }
  if (end == End::broken) out_.resize(out_.size() - 1 - random.below(out_.size() - begin - 1));
  if (!second && random.happens(function_.character.split)) split_writes(begin, random);
  if (until_end) return act(Act::Kind::finish);
  write_end(second || end != End::twice ? end : End::none, begin, random);
}

void FunctionConnection::write_end(End end, size_t begin, Random& random) {
  switch (end) {
    case End::polite:
      // Now and then it takes its time: who does not listen has time for another call.
      return act(random.happens(4000) ? Act::Kind::finish_late : Act::Kind::finish);
    case End::abrupt:
    case End::cut: return act(Act::Kind::close);
    case End::broken: return act(Act::Kind::reset);
    case End::twice:
      // Where another call may be on its way already, nobody could tell this answer from its own.
      if (begin > 0 || !acts_.empty() || !alone()) return;
      out_ += second_answer(random);
      ++function_.out_of_turn;
      return act(Act::Kind::spoken);
    default: return;
  }
}

// Some pieces go out at once after each other, some with a pause between.
void FunctionConnection::split_writes(size_t begin, Random& random) {
  const size_t size = out_.size() - begin;
  const bool byte_by_byte = random.happens(3000);
  size_t at = acts_.empty() ? begin : std::max(begin, acts_.back().upto);
  for (size_t i = 0; i < kSmallWritesMax && at < out_.size(); ++i) {
    at += byte_by_byte ? 1 : 1 + random.below(std::max<size_t>(size / 4, 1));
    if (at >= out_.size()) break;
    const bool waits = random.happens(1500);
    const Nanoseconds pause = waits ? 50 * kMicrosecond : 0;
    acts_.push_back({at, Act::Kind::pause, pause});
  }
}

}  // namespace identity
