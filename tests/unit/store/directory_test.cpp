// A directory as the store: files in a temporary folder, the kernel's ring and its inotify.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "live.hpp"

namespace fnkit::test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

class DirectoryTest : public ::testing::Test {
 protected:
  DirectoryTest() : directory_(folder_.path() + "/pipelines") { fs::create_directory(directory_); }

  void follow(Duration refresh = 30s) { live_.follow("file://" + directory_, refresh); }
  void follow_loaded(Duration refresh = 30s) {
    follow(refresh);
    ASSERT_TRUE(live_.until([this] { return live_.status().connected; }));
  }
  void write(const std::string& file, const std::string& content) {
    std::ofstream(directory_ + "/" + file) << content;
  }
  void move_in(const std::string& file, const std::string& content) {
    std::ofstream(folder_.path() + "/outside") << content;
    fs::rename(folder_.path() + "/outside", directory_ + "/" + file);
  }
  Published& published() { return live_.published(); }
  bool step_becomes(const std::string& name, const std::string& step) {
    return live_.until([&] { return published().step(name) == step; });
  }
  bool goes(const std::string& name) {
    return live_.until([&] { return !published().has(name); });
  }

  TemporaryFolder folder_;
  std::string directory_;
  Live live_;
};

TEST_F(DirectoryTest, EveryWayToChangeAFileIsSeen) {
  write("a.json", config("one"));
  write("a.txt", config("other"));
  write(".json", config("other"));
  follow_loaded();
  EXPECT_EQ(published().snapshot->size(), 1U);
  EXPECT_EQ(published().step("a"), "one");
  write("a.json", config("two"));
  EXPECT_TRUE(step_becomes("a", "two"));
  move_in("b.json", config("moved"));
  EXPECT_TRUE(step_becomes("b", "moved"));
  move_in("b.json", config("replaced"));
  EXPECT_TRUE(step_becomes("b", "replaced"));
  fs::rename(directory_ + "/b.json", directory_ + "/c.json");
  EXPECT_TRUE(goes("b") && step_becomes("c", "replaced"));
  fs::rename(directory_ + "/c.json", folder_.path() + "/c.json");
  EXPECT_TRUE(goes("c"));
  fs::create_symlink(folder_.path() + "/c.json", directory_ + "/link.json");
  EXPECT_TRUE(step_becomes("link", "replaced"));
  fs::create_hard_link(folder_.path() + "/c.json", directory_ + "/hard.json");
  EXPECT_TRUE(step_becomes("hard", "replaced"));
  fs::remove(directory_ + "/a.json");
  EXPECT_TRUE(goes("a"));
  write("..json", config("dot"));
  EXPECT_TRUE(step_becomes(".", "dot"));
}

TEST_F(DirectoryTest, AFileIsReadWhenItsWriterHasClosedIt) {
  follow_loaded();
  {
    std::ofstream file(directory_ + "/a.json");
    file << R"({"steps":[)" << std::flush;
    write("b.json", config("later"));
    EXPECT_TRUE(step_becomes("b", "later"));
    EXPECT_FALSE(published().has("a"));
    file << R"("whole"]})";
  }
  EXPECT_TRUE(step_becomes("a", "whole"));
}

TEST_F(DirectoryTest, WhatCannotBeReadIsInvalid) {
  write("a.json", config("good"));
  write("broken.json", "{");
  write("large.json", std::string(70'000, ' '));
  fs::create_directory(directory_ + "/folder.json");
  ASSERT_EQ(::mkfifo((directory_ + "/pipe.json").c_str(), 0600), 0);
  follow_loaded();
  EXPECT_EQ(live_.status().invalid, 4U);
  EXPECT_NE(published().invalid("large").find("65536"), std::string::npos);
  EXPECT_NE(published().invalid("pipe").find("regular"), std::string::npos);
  write("a.json", "{");
  EXPECT_TRUE(live_.until([this] { return !published().invalid("a").empty(); }));
  EXPECT_EQ(published().step("a"), "good");
}

TEST_F(DirectoryTest, ADirectoryThatIsMissingIsWaitedFor) {
  fs::remove(directory_);
  follow();
  EXPECT_TRUE(live_.until([this] { return !live_.status().trouble.empty(); }));
  EXPECT_FALSE(live_.status().loaded);
  EXPECT_EQ(published().count, 0U);
  fs::create_directory(directory_);
  write("a.json", config("one"));
  EXPECT_TRUE(step_becomes("a", "one"));
  EXPECT_TRUE(live_.status().connected);
}

TEST_F(DirectoryTest, ADirectoryThatGoesAndReturnsKeepsServing) {
  write("a.json", config("one"));
  write("b.json", config("one"));
  follow_loaded();
  fs::rename(directory_, folder_.path() + "/aside");
  EXPECT_TRUE(live_.until([this] { return !live_.status().connected; }));
  EXPECT_EQ(published().step("a"), "one");
  fs::create_directory(directory_);
  write("a.json", config("two"));
  EXPECT_TRUE(step_becomes("a", "two") && goes("b"));
  fs::remove_all(directory_);
  EXPECT_TRUE(live_.until([this] { return !live_.status().connected; }));
}

TEST_F(DirectoryTest, AConfigMapsLinkThatTurnsElsewhereChangesAll) {
  for (const std::string version : {"1", "2"}) {
    fs::create_directory(directory_ + "/..v" + version);
    write("..v" + version + "/a.json", config("v" + version));
  }
  fs::create_symlink("..v1", directory_ + "/..data");
  fs::create_symlink("..data/a.json", directory_ + "/a.json");
  follow_loaded();
  EXPECT_EQ(published().step("a"), "v1");
  fs::create_symlink("..v2", directory_ + "/..data_tmp");
  fs::rename(directory_ + "/..data_tmp", directory_ + "/..data");
  EXPECT_TRUE(step_becomes("a", "v2"));
}

TEST_F(DirectoryTest, AnotherDirectoryAtThePathIsNoticedByComparing) {
  const std::string real = folder_.path() + "/real";
  for (const std::string at : {"1", "2"}) {
    fs::create_directory(real + at);
    std::ofstream(real + at + "/a.json") << config("in" + at);
  }
  fs::remove(directory_);
  fs::create_directory_symlink(real + "1", directory_);
  follow_loaded(50ms);
  EXPECT_EQ(published().step("a"), "in1");
  fs::create_directory_symlink(real + "2", folder_.path() + "/next");
  fs::rename(folder_.path() + "/next", directory_);
  EXPECT_TRUE(step_becomes("a", "in2"));
}

class DirectoryCatalogTest : public DirectoryTest {
 protected:
  DirectoryCatalogTest() {
    Result<store::Location> location = store::parse_location("file://" + directory_);
    catalog_ = store::make_catalog(*location, live_.ring(), live_.resolver());
  }
  template <class T>
  T get(coro::Task<T> task) {
    std::optional<T> result;
    live_.run(fill(std::move(task), result));
    return std::move(*result);
  }
  template <class T>
  static coro::Task<void> fill(coro::Task<T> task, std::optional<T>& result) {
    T value = co_await task;
    result.emplace(std::move(value));
  }

  std::unique_ptr<store::Catalog> catalog_;
};

TEST_F(DirectoryCatalogTest, WhatIsPutIsListedReadFollowedAndRemoved) {
  follow_loaded();
  ASSERT_TRUE(get(catalog_->put("b", config("b"))));
  ASSERT_TRUE(get(catalog_->put(".", config("dot"))));
  ASSERT_TRUE(get(catalog_->put("b", config("b2"))));
  EXPECT_TRUE(step_becomes("b", "b2") && step_becomes(".", "dot"));
  const auto list = get(catalog_->list());
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 2U);
  EXPECT_EQ((*list)[0].name, ".");
  EXPECT_EQ((*list)[1].config, config("b2"));
  EXPECT_FALSE(*get(catalog_->get("none")));
  EXPECT_EQ((*get(catalog_->get("b")))->config, config("b2"));
  EXPECT_TRUE(*get(catalog_->remove("b")));
  EXPECT_FALSE(*get(catalog_->remove("b")));
  EXPECT_TRUE(goes("b"));
  size_t files = 0;
  for ([[maybe_unused]] const auto& file : fs::directory_iterator(directory_)) ++files;
  EXPECT_EQ(files, 1U);  // no temporary file is left
}

TEST_F(DirectoryCatalogTest, FailuresNameTheDirectory) {
  const auto climbed = get(catalog_->put("../x", config("a")));
  ASSERT_FALSE(climbed);
  EXPECT_NE(climbed.error().message.find("no pipeline name"), std::string::npos);
  fs::remove(directory_);
  for (const std::string& message :
       {get(catalog_->put("a", "{}")).error().message, get(catalog_->list()).error().message,
        get(catalog_->get("a")).error().message, get(catalog_->remove("a")).error().message}) {
    EXPECT_NE(message.find("file://" + directory_), std::string::npos) << message;
    EXPECT_NE(message.find("No such file"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace fnkit::test
