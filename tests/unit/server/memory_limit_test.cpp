// What a control group allows, in trees of files as the kernel shows them.
#include "server/memory_limit.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace fnkit::server {
namespace {

namespace fs = std::filesystem;

class MemoryLimitTest : public testing::Test {
 protected:
  MemoryLimitTest() {
    std::string made = (fs::temp_directory_path() / "fnkit-groups-XXXXXX").string();
    root_ = mkdtemp(made.data());
  }
  ~MemoryLimitTest() override { fs::remove_all(root_); }

  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text << "\n";
  }
  std::optional<size_t> limit() const { return memory_limit(root_ / "cgroup", root_ / "mount"); }

 private:
  fs::path root_;
};

TEST_F(MemoryLimitTest, IsThatOfTheGroupInVersion2) {
  write("cgroup", "0::/a/b");
  write("mount/a/b/memory.max", "1000000");
  EXPECT_EQ(limit(), 1000000U);
}

TEST_F(MemoryLimitTest, IsTheLowestOfTheGroupsAbove) {
  write("cgroup", "0::/a/b");
  write("mount/a/b/memory.max", "max");
  write("mount/a/memory.max", "2000000");
  write("mount/memory.max", "3000000");
  EXPECT_EQ(limit(), 2000000U);
}

TEST_F(MemoryLimitTest, IsThatOfTheMemoryControllerInVersion1) {
  write("cgroup", "9:name=systemd:/s\n4:cpu,memory:/m\n0::/");
  write("mount/memory/m/memory.limit_in_bytes", "4000000");
  write("mount/memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(limit(), 4000000U);
}

TEST_F(MemoryLimitTest, IsWhatIsMountedWhereThePathIsTheHosts) {
  write("cgroup", "4:memory:/docker/0123");
  write("mount/memory/memory.limit_in_bytes", "5000000");
  EXPECT_EQ(limit(), 5000000U);
}

TEST_F(MemoryLimitTest, IsNoneWithoutALimitOrAnythingToRead) {
  EXPECT_EQ(limit(), std::nullopt);
  write("cgroup", "nonsense\n0::/a");
  EXPECT_EQ(limit(), std::nullopt);
  write("mount/a/memory.max", "max");
  EXPECT_EQ(limit(), std::nullopt);
}

}  // namespace
}  // namespace fnkit::server
