#include "store/directory_catalog.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace fnkit::store {

coro::Task<Result<std::vector<Stored>>> DirectoryCatalog::list() {
  Result<std::vector<std::string>> names = list_names(location_.path);
  if (!names) co_return failed(names.error());
  std::sort(names->begin(), names->end());
  std::vector<Stored> found;
  for (const std::string& name : *names) {
    std::optional<Stored> stored = look(name);
    if (stored) found.push_back(std::move(*stored));
  }
  co_return found;
}

coro::Task<Result<std::optional<Stored>>> DirectoryCatalog::get(std::string name) {
  Result<void> checked = check(name);
  if (!checked) co_return checked.error();
  co_return look(name);
}

coro::Task<Result<void>> DirectoryCatalog::put(std::string name, std::string config) {
  Result<void> checked = check(name);
  if (!checked) co_return checked.error();
  Result<void> written = write_file(location_.path, path_of(location_.path, name), config);
  if (!written) co_return failed(written.error());
  co_return written;
}

coro::Task<Result<bool>> DirectoryCatalog::remove(std::string name) {
  Result<void> checked = check(name);
  if (!checked) co_return checked.error();
  if (::unlink(path_of(location_.path, name).c_str()) == 0) co_return true;
  if (errno == ENOENT) co_return false;
  co_return failed(Error::from_errno(errno, "cannot delete '" + name + "'"));
}

coro::Task<void> DirectoryCatalog::close() { co_return; }

// A name becomes a path: nothing but a pipeline's name may.
Result<void> DirectoryCatalog::check(const std::string& name) const {
  if (!pipeline::is_pipeline_name(name)) return failed(Error{"'" + name + "' is no pipeline name"});
  Result<DirectoryIdentity> there = identify_directory(location_.path);
  if (!there) return failed(there.error());
  return {};
}

std::optional<Stored> DirectoryCatalog::look(const std::string& name) const {
  Reading reading = read_file(path_of(location_.path, name));
  if (reading.kind == Reading::Kind::absent) return std::nullopt;
  if (reading.kind == Reading::Kind::unreadable) return Stored{name, {}, std::move(reading.text)};
  return Stored{name, std::move(reading.text), {}};
}

Error DirectoryCatalog::failed(const Error& why) const {
  return Error{location_.to_text() + ": " + why.message, why.code};
}

}  // namespace fnkit::store
