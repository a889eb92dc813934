#include "fnkit/net/connect.hpp"

namespace fnkit::net {
namespace {

void cancel_operation(void* context) {
  auto& operation = *static_cast<ring::Operation*>(context);
  operation.ring->cancel(operation);
}

}  // namespace

coro::Task<Result<int>> connect(ring::Ring& ring, Address address, Instant deadline,
                                coro::CancelScope& scope) {
  Result<int> socket = ring.open_socket(address.family());
  if (!socket) co_return socket.error();
  ring::Operation operation;
  operation.connect(*socket, address.raw(), address.length());
  ring.submit(operation, deadline);
  coro::CancelHook hook(&cancel_operation, &operation);
  scope.add(hook);
  const int32_t result = co_await operation.completed();
  if (result >= 0) co_return *socket;
  ring.close(*socket);
  co_return Error::from_errno(-result, "connect to " + address.to_text());
}

}  // namespace fnkit::net
