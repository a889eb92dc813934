#include "server/control.hpp"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>

#include "fnkit/base/log.hpp"
#include "fnkit/server/pages.hpp"
#include "fnkit/server/server.hpp"

namespace fnkit::server {
namespace {

// What the kernel calls a process (proc(5), comm); empty where there is none.
std::string program_of(const std::string& process) {
  std::string name;
  std::ifstream file("/proc/" + process + "/comm");
  std::getline(file, name);
  return name;
}

// Sends SIGTERM to a process that runs this program; a number may be an old one, by now somebody
// else's. Yields a descriptor that can be read from when it has ended.
Result<int> ask_to_end(pid_t process) {
  const std::string pid = std::to_string(process);
  if (process == ::getpid()) return Error{pid + " is this process itself"};
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, process, 0));
  if (descriptor < 0) return Error::from_errno(errno, pid);
  const std::string name = program_of(pid);
  if (name != program_of("self")) {
    ::close(descriptor);
    return Error{pid + " is another program, '" + name + "'"};
  }
  if (syscall(SYS_pidfd_send_signal, descriptor, SIGTERM, nullptr, 0) != 0) {
    const Error error = Error::from_errno(errno, pid);
    ::close(descriptor);
    return error;
  }
  return descriptor;
}

}  // namespace

Control::Control(const Settings& settings, ring::Ring& ring, Signals& signals,
                 std::vector<std::unique_ptr<Worker>>& workers, const Listeners& listeners,
                 Logs& logs)
    : settings_(settings),
      ring_(ring),
      signals_(signals),
      workers_(workers),
      listeners_(listeners),
      random_(random_seed()),
      resolver_(ring, settings.dns),
      follower_(store::make_follower(settings.store, ring, resolver_, *this,
                                     {settings.refresh_interval, random_.next()})),
      observatory_(settings, ring, resolver_, random_, workers, *follower_, logs),
      pages_(observatory_, ring, resolver_),
      service_manager_(ring, workers, *follower_, listeners) {}

Control::~Control() = default;

coro::Task<void> Control::run() {
  wakeup_.listen(ring_, &woken, this);
  signals_.listen(ring_, *this);
  tasks_.spawn(follower_->run());
  tasks_.spawn(observatory_.run());
  tasks_.spawn(service_manager_.run());
  if (listeners_.admin >= 0) tasks_.spawn(serve_admin(listeners_.admin));
  co_await all_done_.wait();
  follower_->stop();
  observatory_.stop();
  service_manager_.stop();
  if (admin_listener_ != nullptr) admin_listener_->stop();
  for (auto* each = admin_connections_.front(); each != nullptr;
       each = admin_connections_.next(*each)) {
    each->abandon();
  }
  co_await tasks_.join();
  co_await resolver_.close();
  co_await signals_.stop();
  co_await wakeup_.stop();
}

void Control::publish(std::shared_ptr<const store::Snapshot> snapshot) {
  for (const auto& worker : workers_) worker->publish(snapshot);
  observatory_.adopt(snapshot);
  snapshots_.push_back(std::move(snapshot));
  const bool first = !std::exchange(replacing_, true);
  if (first && settings_.predecessor > 0) tasks_.spawn(replace_predecessor());
}

// It hands the ports over with its last connections; when it is gone they are ours alone.
coro::Task<void> Control::replace_predecessor() {
  Result<int> process = ask_to_end(settings_.predecessor);
  if (!process) {
    log_event(LogLevel::error, "server", "cannot end the server to be replaced",
              {{"detail", process.error().message}});
    co_return;
  }
  log_event(LogLevel::info, "server", "replacing",
            {{"pid", std::to_string(settings_.predecessor)}});
  predecessor_ended_.poll(*process, POLLIN);
  ring_.submit(predecessor_ended_);
  co_await predecessor_ended_.completed();
  if (!draining_) {
    for (const int fd : listeners_.of_worker.front()) net::end_hand_over(fd);
    if (listeners_.admin >= 0) net::end_hand_over(listeners_.admin);
  }
  ring_.close(*process);
}

void Control::tell(const store::FollowerStatus& status) {
  const auto told = std::make_shared<const store::FollowerStatus>(status);
  for (const auto& worker : workers_) worker->publish(told);
  // After each full comparison too: a large one must not stay until the next change.
  std::erase_if(snapshots_, [](const auto& each) { return each.use_count() == 1; });
}

void Control::signalled(int signal) {
  if (signal == SIGHUP) {
    service_manager_.reloading();
    reload_tokens();
    service_manager_.reloaded();
    return;
  }
  if (draining_) {
    log_event(LogLevel::warning, "server", "ending at once, requests in progress are lost");
    flush_log();
    _exit(kExitFailed);
  }
  log_event(LogLevel::info, "server", "draining",
            {{"signal", signal == SIGTERM ? "SIGTERM" : "SIGINT"}});
  drain();
}

void Control::drain() {
  draining_ = true;
  service_manager_.stopping(settings_.drain_timeout);
  ring_.cancel(predecessor_ended_);
  if (!listeners_.passed) {
    for (const int fd : listeners_.of_worker.front()) net::hand_over(fd, workers_.size());
    if (listeners_.admin >= 0) net::hand_over(listeners_.admin, 1);
  }
  for (const auto& worker : workers_) worker->drain();
}

void Control::reload_tokens() {
  if (settings_.token_file.empty()) return;
  Result<Tokens> tokens = Tokens::read_file(settings_.token_file);
  if (!tokens) {
    log_event(LogLevel::error, "server", "tokens not reloaded, the old ones stay in force",
              {{"file", settings_.token_file}, {"detail", tokens.error().message}});
    return;
  }
  const auto shared = std::make_shared<const Tokens>(std::move(*tokens));
  for (const auto& worker : workers_) worker->publish(shared);
  log_event(LogLevel::info, "server", "tokens reloaded");
}

void Control::worker_is_done() {
  workers_done_.fetch_add(1, std::memory_order_acq_rel);
  wakeup_.notify();
}

void Control::ask(PageQuestion& question) {
  questions_.put(&question);
  wakeup_.notify();
}

coro::Task<void> Control::answer(PageQuestion* question) {
  question->page = co_await pages_.answer(question->target);
  question->asker->answer(*question);
}

void Control::woken(void* context) {
  auto& self = *static_cast<Control*>(context);
  for (PageQuestion* question : self.questions_.take()) self.tasks_.spawn(self.answer(question));
  if (self.workers_done_.load(std::memory_order_acquire) == self.workers_.size()) {
    self.all_done_.set();
  }
}

coro::Task<void> Control::serve_admin(int fd) {
  net::Listener listener(ring_, fd, at_end(settings_));
  admin_listener_ = &listener;
  while (true) {
    Result<int> connection = co_await listener.accept();
    if (!connection) break;
    tasks_.spawn(serve_admin_connection(*connection));
  }
  co_await listener.close();
}

coro::Task<void> Control::serve_admin_connection(int fd) {
  http::ServerConnection connection(ring_, fd, *this, settings_.callers, random_);
  admin_connections_.push_back(connection);
  co_await connection.serve();
}

http::Response Control::admin_page(const http::Request& request) const {
  const store::FollowerStatus& status = follower_->status();
  auto page = health_page(request, path_of(request.target),
                          {status.loaded, draining_, &status, ring_.now(), true});
  return page ? std::move(*page) : http::error_response(404, "Not found");
}

http::Admission Control::admit(const http::Request& head) {
  if (is_observed(path_of(head.target))) return {refuse_other_methods(head)};
  return {admin_page(head)};
}

coro::Task<http::Response> Control::handle(http::Request& request) {
  if (!is_observed(path_of(request.target))) co_return admin_page(request);
  if (auto refused = refuse_other_methods(request)) co_return std::move(*refused);
  Page page = co_await pages_.answer(std::string(request.target));
  co_return page.to_response();
}

}  // namespace fnkit::server
