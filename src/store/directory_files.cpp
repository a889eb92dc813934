#include "store/directory_files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>

namespace fnkit::store {
namespace {

constexpr std::string_view kSuffix = ".json";
constexpr mode_t kFileMode = 0644;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

Reading unreadable(int code) {
  return {Reading::Kind::unreadable, Error::from_errno(code, "its file cannot be read").message};
}

// All of `fd` up to `bytes_max`; the errno value where it fails.
Result<std::string> read_up_to(int fd, size_t bytes_max) {
  std::string content(bytes_max, '\0');
  size_t filled = 0;
  while (filled < bytes_max) {
    const ssize_t count = ::read(fd, content.data() + filled, bytes_max - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::from_errno(errno, "read");
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  content.resize(filled);
  return content;
}

Result<void> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error::from_errno(errno, "write");
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  if (::fsync(fd) != 0) return Error::from_errno(errno, "fsync");
  return {};
}

}  // namespace

std::optional<std::string> name_of_file(std::string_view file) {
  if (file.size() <= kSuffix.size()) return std::nullopt;
  const size_t length = file.size() - kSuffix.size();
  if (file.substr(length) != kSuffix) return std::nullopt;
  return std::string(file.substr(0, length));
}

std::string path_of(const std::string& directory, std::string_view name) {
  std::string path = directory + "/";
  path += name;
  path += kSuffix;
  return path;
}

Result<DirectoryIdentity> identify_directory(const std::string& directory) {
  struct stat found {};
  if (::stat(directory.c_str(), &found) != 0) {
    return Error::from_errno(errno, "the directory cannot be used");
  }
  if (!S_ISDIR(found.st_mode)) return Error::from_errno(ENOTDIR, "the directory cannot be used");
  return DirectoryIdentity{found.st_dev, found.st_ino};
}

Result<std::vector<std::string>> list_names(const std::string& directory) {
  const std::unique_ptr<DIR, CloseDirectory> open(::opendir(directory.c_str()));
  if (open == nullptr) return Error::from_errno(errno, "the directory cannot be read");
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* file = ::readdir(open.get());
    if (file == nullptr && errno != 0) {
      return Error::from_errno(errno, "the directory cannot be read");
    }
    if (file == nullptr) return names;
    if (auto name = name_of_file(file->d_name)) names.push_back(std::move(*name));
  }
}

Reading read_file(const std::string& path) {
  // Not blocking: somebody may have put a pipe there.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0 && errno == ENOENT) return {};
  if (file.get() < 0) return unreadable(errno);
  struct stat found {};
  if (::fstat(file.get(), &found) != 0) return unreadable(errno);
  if (!S_ISREG(found.st_mode)) return {Reading::Kind::unreadable, "it is no regular file"};
  Result<std::string> content = read_up_to(file.get(), pipeline::kConfigBytesMax + 1);
  if (!content) return unreadable(content.error().code);
  if (content->size() > pipeline::kConfigBytesMax) return too_large();
  return {Reading::Kind::config, std::move(*content)};
}

Result<void> write_file(const std::string& directory, const std::string& path,
                        std::string_view config) {
  std::string temporary = directory + "/.fnkit-XXXXXX";  // no name: it does not end with ".json"
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (file.get() < 0) return Error::from_errno(errno, "cannot write into it");
  Result<void> written = write_all(file.get(), config);
  if (written && ::fchmod(file.get(), kFileMode) != 0) {
    written = Error::from_errno(errno, "fchmod");
  }
  if (written && ::rename(temporary.c_str(), path.c_str()) != 0) {
    written = Error::from_errno(errno, "rename");
  }
  if (!written) {
    ::unlink(temporary.c_str());
    return written;
  }
  const Descriptor parent(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent.get() >= 0) ::fsync(parent.get());  // the new name survives a crash as well
  return {};
}

}  // namespace fnkit::store
