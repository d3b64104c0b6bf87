#include "daemon/export_folders.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/temporary_folder.h"

namespace cohort::daemon {
namespace {

using testing::HasSubstr;

class ExportFoldersTest : public testing::Test {
 protected:
  ExportFoldersTest() {
    for (const auto* const name : {"root", "root/deep", "other"}) {
      EXPECT_TRUE(make_directories(folder.path() / name, 0755));
    }
  }

  Path at(const std::string& name) { return folder.path() / name; }
  Result<Path> allowed(const std::string& directory) {
    const auto opened = ExportFolders::open(roots);
    EXPECT_TRUE(opened) << opened.error().describe();
    return opened ? opened->allowed(directory) : Result<Path>();
  }
  ErrorCode refusal_of(const std::string& directory) {
    const auto outcome = allowed(directory);
    EXPECT_FALSE(outcome) << directory;
    return outcome ? ErrorCode::kInternal : outcome.error().code;
  }

  TemporaryFolder folder;
  std::vector<Path> roots{folder.path() / "root"};
};

TEST_F(ExportFoldersTest, WhatLiesBelowIsAllowed) {
  for (const std::string name : {"root/new", "root/deep", "root/deep/new/newer", "root//deep/./x/"}) {
    EXPECT_TRUE(allowed(at(name).string())) << name;
  }
  EXPECT_EQ(allowed(at("root//deep/./x/").string()).value(), at("root/deep/x"));
  // For exports with a subdirectory.
  EXPECT_EQ(allowed(at("root").string()).value(), at("root"));
  EXPECT_EQ(allowed(at("root/").string()).value(), at("root"));
}

TEST_F(ExportFoldersTest, WhatLiesElsewhereIsNot) {
  for (const std::string name : {"other", "other/root", "rootless", ""}) {
    EXPECT_EQ(refusal_of(at(name).string()), ErrorCode::kPermission) << name;
  }
  EXPECT_EQ(refusal_of("/etc"), ErrorCode::kPermission);
  roots.clear();
  EXPECT_EQ(refusal_of(at("root/new").string()), ErrorCode::kPermission);
}

TEST_F(ExportFoldersTest, APathThatSaysSomethingElseIsWrong) {
  const std::string root = at("root").string();
  for (const std::string& path : {root + "/../other", root + "/deep/../../other", root + "/..", std::string("root/new"),
                                  std::string(), std::string("C:\\Exports\\x"), root + "/a\nb",
                                  root + std::string("/a\0b", 4), root + "/" + std::string(300, 'x'), root + [] {
                                    std::string deep;
                                    for (int count = 0; count < 2000; ++count) deep += "/x";
                                    return deep;
                                  }()}) {
    EXPECT_EQ(refusal_of(path), ErrorCode::kInvalidArgument) << path;
  }
}

TEST_F(ExportFoldersTest, LinksAreNotFollowed) {
  ASSERT_EQ(::symlink(at("other").c_str(), at("root/out").c_str()), 0);
  ASSERT_EQ(::symlink("deep", at("root/inner").c_str()), 0);
  ASSERT_EQ(::symlink("/nowhere", at("root/nowhere").c_str()), 0);
  for (const std::string name : {"root/out", "root/out/x", "root/inner", "root/inner/x", "root/nowhere"}) {
    EXPECT_EQ(refusal_of(at(name).string()), ErrorCode::kPermission) << name;
  }
}

TEST_F(ExportFoldersTest, AFileIsNoFolder) {
  std::ofstream(at("root/file")) << "x";
  EXPECT_EQ(refusal_of(at("root/file").string()), ErrorCode::kPermission);
  EXPECT_EQ(refusal_of(at("root/file/x").string()), ErrorCode::kPermission);
}

TEST_F(ExportFoldersTest, FoldersThatOthersCanWriteToAreNoWay) {
  ASSERT_EQ(::chmod(at("root/deep").c_str(), 0777), 0);
  EXPECT_THAT(allowed(at("root/deep/x").string()).error().message, HasSubstr("could put a link there"));
  ASSERT_EQ(::chmod(at("root").c_str(), 01777), 0);
  EXPECT_EQ(ExportFolders::open(roots).error().code, ErrorCode::kPermission);
}

TEST_F(ExportFoldersTest, ARootMayBeNamedByALinkOfTheConfiguration) {
  ASSERT_EQ(::symlink(at("root").c_str(), at("exports").c_str()), 0);
  roots = {at("exports")};
  EXPECT_EQ(allowed(at("exports/x").string()).value(), at("root/x"));
  EXPECT_EQ(allowed(at("root/x").string()).value(), at("root/x"));
}

TEST_F(ExportFoldersTest, ARootHasToBeThere) {
  roots = {at("missing")};
  EXPECT_EQ(ExportFolders::open(roots).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cohort::daemon
