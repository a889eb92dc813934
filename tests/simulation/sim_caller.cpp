#include "simulation/sim_caller.hpp"

#include "fnkit/net/connect.hpp"
#include "simulation/pause.hpp"
#include "support/world.hpp"

namespace fnkit::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Much longer than the pipeline timeout.
constexpr Duration kAnswerPatience = seconds(10);
constexpr unsigned kConnectTries = 5;

// The bytes of the first answer in `heard`; 0 while it is not complete.
size_t answer_bytes(std::string_view heard) {
  const size_t head_end = heard.find("\r\n\r\n");
  if (head_end == heard.npos) return 0;
  const std::string_view head = heard.substr(0, head_end + 2);
  constexpr std::string_view kLength = "\r\ncontent-length: ";
  const size_t length_at = head.find(kLength);
  size_t length = 0;
  if (length_at != head.npos) {
    length =
        std::strtoul(std::string(head.substr(length_at + kLength.size())).c_str(), nullptr, 10);
  }
  return heard.size() < head_end + 4 + length ? 0 : head_end + 4 + length;
}

}  // namespace

SimCaller::SimCaller(SimulatedRing& ring, net::Address server,
                     std::vector<const SimPipeline*> pipelines, CallerManners manners,
                     Witness& witness, unsigned& next_id, uint64_t seed)
    : ring_(ring),
      server_(server),
      pipelines_(std::move(pipelines)),
      manners_(manners),
      witness_(witness),
      next_id_(next_id),
      random_(seed) {}

coro::Task<void> SimCaller::run() {
  for (unsigned i = 0; i < manners_.requests; ++i) {
    const auto think = static_cast<uint64_t>((manners_.think_max - manners_.think_min).count());
    co_await pause(ring_, manners_.think_min + Duration(random_.below(think + 1)));
    if (stream_ == nullptr) {
      const bool connected = co_await connect();
      if (!connected) co_return;
    }
    const SimRequest request = make_request();
    const Waited waited = co_await ask(request);
    if (waited != Waited::answered) co_await disconnect();
  }
  co_await disconnect();
}

coro::Task<bool> SimCaller::connect() {
  for (unsigned tried = 0; tried < kConnectTries; ++tried) {
    coro::CancelScope scope;
    Result<int> socket =
        co_await net::connect(ring_, server_, later(ring_.now(), seconds(1)), scope);
    if (socket) {
      socket_ = *socket;
      stream_ = std::make_unique<net::Stream>(ring_, *socket);
      server_closes_ = false;
      co_return true;
    }
    co_await pause(ring_, milliseconds(50));
  }
  co_return false;
}

coro::Task<void> SimCaller::disconnect() {
  if (stream_ == nullptr) co_return;
  co_await stream_->close();
  stream_ = nullptr;
}

SimRequest SimCaller::make_request() {
  SimRequest request;
  request.id = next_id_++;
  request.asked = ring_.now();
  request.pipeline = pipelines_[random_.below(pipelines_.size())];
  request.idempotent = random_.chance(30);
  if (!request.idempotent) {
    const size_t bytes = random_.chance(50) ? 0 : random_.below(manners_.body_bytes_max);
    request.body = "<" + std::to_string(request.id) + ">" + pattern(bytes, request.id);
  }
  return request;
}

coro::Task<SimCaller::Waited> SimCaller::ask(const SimRequest& request) {
  if (!stream_->input().empty()) witness_.fault("bytes came that belong to no request");
  const std::string bytes = request.to_bytes();
  const std::string_view part = bytes;
  stream_->start_send({&part, 1}, ring::SendMode::prompt, kAnswerPatience);
  if (random_.chance(manners_.leaves)) {
    co_await pause(ring_, milliseconds(random_.below(50)));
    stream_->stop();
    Result<void> stopped = co_await stream_->sent();
    co_return Waited::left;
  }
  // Whether or not all of it left: an answer may have come before.
  Result<void> sent = co_await stream_->sent();
  if (sent && random_.chance(manners_.half_closes)) {
    ring_.shut_down_sending(socket_);
    server_closes_ = true;
  }
  const Waited waited = co_await await_answer(request);
  co_return waited;
}

coro::Task<SimCaller::Waited> SimCaller::await_answer(const SimRequest& request) {
  const Instant deadline = later(ring_.now(), kAnswerPatience);
  while (answer_bytes(stream_->input().view()) == 0) {
    Result<size_t> received = co_await stream_->receive(deadline);
    if (received && *received > 0) continue;
    if (!received && received.error().code == ETIMEDOUT) {
      witness_.fault("request " + std::to_string(request.id) + " to " + request.pipeline->name +
                     " got neither an answer nor an end");
    }
    witness_.ended(request, stream_->input().view());
    co_return Waited::ended;
  }
  const size_t bytes = answer_bytes(stream_->input().view());
  const Answers answers = read_answers(stream_->input().view().substr(0, bytes));
  stream_->input().consume(bytes);
  if (!answers.fault.empty() || answers.list.size() != 1) {
    witness_.fault("request " + std::to_string(request.id) + ": no answer: " + answers.fault);
    co_return Waited::ended;
  }
  witness_.answered(request, answers.list.front());
  if (answers.list.front().closes() || server_closes_) co_return Waited::left;
  co_return Waited::answered;
}

}  // namespace fnkit::test
