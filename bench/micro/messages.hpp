// What callers and functions say, as bench/callers and bench/functions say it.
#pragma once

#include <string>
#include <string_view>

namespace fnkit::bench {

inline constexpr std::string_view kToken = "a-token-as-long-as-they-are";

// `bytes` long, at least 16.
inline std::string json_body(size_t bytes) {
  constexpr std::string_view kHead = R"({"orderId":")";
  return std::string(kHead) + std::string(bytes - kHead.size() - 2, '1') + "\"}";
}

inline std::string caller_request(std::string_view pipeline) {
  const std::string body = json_body(100);
  return "POST /orchestrate/" + std::string(pipeline) +
         " HTTP/1.1\r\nHost: localhost:8080\r\nContent-Type: application/json\r\n"
         "Authorization: Bearer " +
         std::string(kToken) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

inline std::string function_answer(size_t body_bytes) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nDate: Thu, 01 Jan "
         "2026 00:00:00 GMT\r\nConnection: keep-alive\r\nKeep-Alive: "
         "timeout=5\r\nContent-Length: " +
         std::to_string(body_bytes) + "\r\n\r\n" + json_body(body_bytes);
}

}  // namespace fnkit::bench
