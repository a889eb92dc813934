// A directory of `<name>.json` files. Plain system calls: files of 64 KiB at most, on the control
// thread.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/plan_book.hpp"

namespace fnkit::store {

// The pipeline's name in a file name, nothing where it is no `<name>.json`. Temporary files of ours
// and of editors end otherwise.
std::optional<std::string> name_of_file(std::string_view file);
std::string path_of(const std::string& directory, std::string_view name);

// Which directory it is, whatever its path becomes.
struct DirectoryIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const DirectoryIdentity&) const = default;
};
Result<DirectoryIdentity> identify_directory(const std::string& directory);

// The names of all its pipelines, in no order.
Result<std::vector<std::string>> list_names(const std::string& directory);

// What stands in the file now, never more of it than a config may have.
Reading read_file(const std::string& path);

// Makes `config` the content of `path`, all or nothing: readers see the old file or the new one,
// and so does who comes after a crash.
Result<void> write_file(const std::string& directory, const std::string& path,
                        std::string_view config);

}  // namespace fnkit::store
