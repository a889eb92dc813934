#include "wire/random_message.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace fnkit::test {
namespace {

constexpr std::string_view kTokenChars =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~";
constexpr std::string_view kTargetChars =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=:@/?[]";

std::string some_of(Random& random, std::string_view alphabet, size_t least, size_t most) {
  std::string text(least + random.below(most - least + 1), ' ');
  for (char& c : text) c = alphabet[random.below(alphabet.size())];
  return text;
}

// Any bytes that a field value may have, without white space at its ends.
std::string some_value(Random& random) {
  std::string text(random.below(60), ' ');
  for (char& c : text) c = static_cast<char>(0x21 + random.below(0xff - 0x21));
  std::replace(text.begin(), text.end(), '\x7f', '\t');
  while (!text.empty() && text.back() == '\t') text.pop_back();
  text.erase(0, text.find_first_not_of('\t'));
  return text;
}

std::string some_space(Random& random) {
  static constexpr std::array<std::string_view, 5> kSpaces{" ", " ", "", "\t", "  "};
  return std::string(kSpaces[random.below(kSpaces.size())]);
}

std::string some_bytes(Random& random) {
  const size_t most = random.chance(5) ? 20000 : 200;
  std::string text(random.below(most), ' ');
  for (char& c : text) c = static_cast<char>(random.below(256));
  return text;
}

std::string chunks_of(Random& random, std::string_view body) {
  std::string wire;
  while (!body.empty()) {
    const size_t bytes = 1 + random.below(body.size());
    std::array<char, 24> size{};
    std::snprintf(size.data(), size.size(), random.chance(50) ? "%zx" : "0%zX", bytes);
    wire += size.data();
    if (random.chance(20)) wire += ";" + some_of(random, kTokenChars, 1, 9);
    if (random.chance(20)) wire += ";a=\"" + some_of(random, kTokenChars, 0, 9) + "\"";
    wire += "\r\n" + std::string(body.substr(0, bytes)) + "\r\n";
    body.remove_prefix(bytes);
  }
  wire += "0\r\n";
  while (random.chance(20)) wire += some_of(random, kTokenChars, 1, 9) + ": x\r\n";
  return wire + "\r\n";
}

// Headers, framing and body behind a start line that is in `message.bytes`.
void finish(Random& random, RandomMessage& message) {
  auto& headers = message.headers;
  while (random.chance(75) && headers.size() < 40) {
    headers.emplace_back("x-" + some_of(random, kTokenChars, 0, 20), some_value(random));
  }
  message.keep_alive = message.minor_version == 1;
  if (random.chance(10)) {
    headers.emplace_back("Connection", "Close");
    message.keep_alive = false;
  } else if (random.chance(20)) {
    headers.emplace_back("connection", "keep-alive, x");
    message.keep_alive = true;
  }
  std::string wire_body;
  message.body = some_bytes(random);
  if (message.minor_version == 1 && random.chance(50)) {
    headers.emplace_back("Transfer-Encoding", "chunked");
    wire_body = chunks_of(random, message.body);
  } else {
    headers.emplace_back("content-length", std::to_string(message.body.size()));
    wire_body = message.body;
  }
  for (size_t i = headers.size(); i > 1; --i) {
    std::swap(headers[i - 1], headers[random.below(i)]);
  }
  for (const auto& [name, value] : headers) {
    message.bytes += name + ":" + some_space(random) + value + (random.chance(10) ? " " : "");
    message.bytes += "\r\n";
  }
  message.bytes += "\r\n" + wire_body;
}

}  // namespace

RandomMessage random_request(Random& random) {
  static constexpr std::array<std::string_view, 8> kMethods{"GET",  "POST",  "PUT",     "DELETE",
                                                            "HEAD", "PATCH", "OPTIONS", "PROPFIND"};
  RandomMessage message;
  message.method = kMethods[random.below(kMethods.size())];
  message.target = "/" + some_of(random, kTargetChars, 0, random.chance(5) ? 5000 : 60);
  message.minor_version = random.chance(85) ? 1 : 0;
  if (random.chance(20)) message.bytes += "\r\n";
  const bool absolute = random.chance(10);
  message.bytes += message.method + " " + (absolute ? "http://a.b:1" : "") + message.target +
                   " HTTP/1." + std::to_string(message.minor_version) + "\r\n";
  message.headers.emplace_back("Host", "h-1.example:8080");
  finish(random, message);
  return message;
}

RandomMessage random_response(Random& random) {
  static constexpr std::array<int, 8> kStatuses{200, 201, 302, 400, 404, 500, 503, 599};
  RandomMessage message;
  message.status = kStatuses[random.below(kStatuses.size())];
  message.minor_version = random.chance(85) ? 1 : 0;
  while (random.chance(20)) message.bytes += "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
  message.bytes += "HTTP/1." + std::to_string(message.minor_version) + " " +
                   std::to_string(message.status) + " " + some_of(random, kTokenChars, 0, 20) +
                   "\r\n";
  finish(random, message);
  return message;
}

std::vector<std::string> random_pieces(Random& random, std::string_view bytes) {
  const size_t most = random.chance(50) ? 1 + random.below(16) : 1 + random.below(5000);
  std::vector<std::string> pieces;
  while (!bytes.empty()) {
    pieces.emplace_back(bytes.substr(0, 1 + random.below(most)));
    bytes.remove_prefix(pieces.back().size());
  }
  return pieces;
}

}  // namespace fnkit::test
