// A page that the control thread makes for a caller of a worker: what all cores did is known there.
#pragma once

#include <string>
#include <string_view>

#include "fnkit/coro/event.hpp"
#include "fnkit/http/message.hpp"

namespace fnkit::server {

class Worker;

// A response that may change threads.
struct Page {
  int status = 200;
  std::string_view content_type = "application/json";  // a literal
  std::string extra_headers;
  std::string body;

  http::Response to_response() const;
  static Page error(int status, std::string_view message);
};

// A question on its way from a worker's thread to the control thread and back. The one who asks
// keeps it until it is answered.
struct PageQuestion {
  std::string target;  // with its query
  Worker* asker = nullptr;
  Page page;
  coro::Event answered;  // on the asker's thread
};

struct PageSource {
  virtual ~PageSource() = default;
  // Any thread. Worker::answer() will be called for it, on the control thread.
  virtual void ask(PageQuestion& question) = 0;
};

}  // namespace fnkit::server
