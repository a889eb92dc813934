// Managing what is stored in a directory.
#pragma once

#include "store/directory_files.hpp"

namespace fnkit::store {

// Its calls never wait.
class DirectoryCatalog final : public Catalog {
 public:
  explicit DirectoryCatalog(Location location) : location_(std::move(location)) {}

  coro::Task<Result<std::vector<Stored>>> list() override;
  coro::Task<Result<std::optional<Stored>>> get(std::string name) override;
  coro::Task<Result<void>> put(std::string name, std::string config) override;
  coro::Task<Result<bool>> remove(std::string name) override;
  coro::Task<void> close() override;

 private:
  Result<void> check(const std::string& name) const;
  std::optional<Stored> look(const std::string& name) const;
  Error failed(const Error& why) const;

  Location location_;
};

}  // namespace fnkit::store
