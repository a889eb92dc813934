// Reading pipelines from Valkey: the names there are, and what stands under them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fnkit/valkey/connection.hpp"
#include "store/plan_book.hpp"

namespace fnkit::store {

inline constexpr std::string_view kKeyPrefix = "fnkit:pipeline:";
// Asked for at once: one round trip each, and no more than 16 MiB of answers at a time.
inline constexpr size_t kBatchNames = 256;

std::string key_of(std::string_view name);

// A part of all names. The first has cursor "0"; so has the one after the last. A name that comes
// or goes meanwhile may be in it or not, and a name may be in it twice (SCAN's promise).
struct Page {
  std::string cursor;
  std::vector<std::string> names;
};
coro::Task<Result<Page>> scan_page(valkey::Connection& connection, std::string cursor);

// What stands under each of `names`, in their order, never more of it than a config may have. An
// error means that the server is not to be used now.
coro::Task<Result<std::vector<Reading>>> read_values(valkey::Connection& connection,
                                                     std::vector<std::string> names);

}  // namespace fnkit::store
