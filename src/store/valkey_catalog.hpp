// Managing what is stored in Valkey.
#pragma once

#include <memory>

#include "fnkit/store/server_finder.hpp"
#include "store/valkey_values.hpp"

namespace fnkit::store {

class ValkeyCatalog final : public Catalog {
 public:
  ValkeyCatalog(Location location, ring::Ring& ring, net::Resolver& resolver)
      : servers_(ring, resolver, std::move(location)) {}

  coro::Task<Result<std::vector<Stored>>> list() override;
  coro::Task<Result<std::optional<Stored>>> get(std::string name) override;
  coro::Task<Result<void>> put(std::string name, std::string config) override;
  coro::Task<Result<bool>> remove(std::string name) override;
  coro::Task<void> close() override;

 private:
  coro::Task<Result<void>> connect();
  coro::Task<Result<valkey::Reply>> change(valkey::Command command);
  coro::Task<Result<std::vector<std::string>>> names();
  Error failed(const Error& why) const;

  ServerFinder servers_;
  coro::CancelScope scope_;
  std::unique_ptr<valkey::Connection> connection_;
};

}  // namespace fnkit::store
