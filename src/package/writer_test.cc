#include "package/writer.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/process.h"
#include "base/sha256.h"
#include "base/temporary_folder.h"
#include "package/test_manifest.h"

namespace cohort::package {
namespace {

using std::filesystem::exists;

class WriterTest : public testing::Test {
 protected:
  // A manifest with one machine, whose configuration is written by the writer.
  Manifest written(Writer& writer) {
    Manifest manifest = full_manifest();
    manifest.machines.erase(manifest.machines.begin());
    auto entry = writer.add(manifest.machines[0].configuration.file, "<domain/>");
    EXPECT_TRUE(entry);
    if (entry) manifest.machines[0].configuration = *entry;
    return manifest;
  }
  Path package() { return folder_.path() / "package ä"; }

  TemporaryFolder folder_;
};

TEST_F(WriterTest, PublishesWhole) {
  Writer writer(package());
  ASSERT_TRUE(writer.begin());
  EXPECT_FALSE(exists(package()));
  const Manifest manifest = written(writer);
  const auto published = writer.publish(manifest);
  ASSERT_TRUE(published) << published.error().describe();
  EXPECT_FALSE(exists(writer.partial()));
  EXPECT_TRUE(exists(package() / manifest.machines[0].configuration.file));
  const auto text = read_file(package() / "cohort.json", 1U << 20U);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, format_manifest(manifest));
}

TEST_F(WriterTest, ExchangesAPackageForAnother) {
  Writer first(package());
  ASSERT_TRUE(first.begin());
  ASSERT_TRUE(first.publish(written(first)));
  const auto old = read_file(package() / "cohort.json", 1U << 20U).value();
  Writer writer(package(), Placing::kReplace);
  ASSERT_TRUE(writer.begin());
  Manifest manifest = written(writer);
  manifest.stands_for = Sha256::of(old);
  EXPECT_EQ(read_file(package() / "cohort.json", 1U << 20U).value(), old);
  const auto published = writer.publish(manifest);
  ASSERT_TRUE(published) << published.error().describe();
  EXPECT_EQ(read_file(package() / "cohort.json", 1U << 20U).value(), format_manifest(manifest));
  EXPECT_EQ(read_file(writer.partial() / "cohort.json", 1U << 20U).value(), old);
}

TEST_F(WriterTest, ReplacesOnlyWhatIsThere) {
  Writer writer(package(), Placing::kReplace);
  EXPECT_FALSE(writer.begin());
  EXPECT_FALSE(exists(writer.partial()));
}

TEST_F(WriterTest, KeepsThePackagePrivate) {
  Writer writer(package());
  ASSERT_TRUE(writer.begin());
  const Manifest manifest = written(writer);
  ASSERT_TRUE(writer.publish(manifest));
  for (const std::string file : {"", "Virtual Machines", "cohort.json", "SHA256SUMS"}) {
    struct stat info {};
    ASSERT_EQ(::stat((package() / file).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 077U, 0U) << file;
  }
}

TEST_F(WriterTest, TakesThePlaceOfAnEmptyFolder) {
  std::filesystem::create_directory(package());
  Writer writer(package());
  ASSERT_TRUE(writer.begin());
  EXPECT_TRUE(writer.publish(written(writer)));
  EXPECT_TRUE(exists(package() / "cohort.json"));
}

TEST_F(WriterTest, IgnoresASlashAtTheEnd) {
  Writer writer(package().native() + "/");
  EXPECT_EQ(writer.partial(), package().native() + ".partial");
}

TEST_F(WriterTest, RefusesToBeginWhereSomethingIs) {
  ASSERT_TRUE(make_directories(package() / "x"));
  EXPECT_EQ(Writer(package()).begin().error().code, ErrorCode::kAlreadyExists);
  ASSERT_TRUE(create_file(folder_.path() / "file", ""));
  EXPECT_EQ(Writer(folder_.path() / "file").begin().error().code, ErrorCode::kAlreadyExists);
  std::filesystem::create_symlink("nowhere", folder_.path() / "link");
  EXPECT_EQ(Writer(folder_.path() / "link").begin().error().code, ErrorCode::kAlreadyExists);
  EXPECT_FALSE(exists(folder_.path() / "link.partial"));
}

TEST_F(WriterTest, RefusesToBeginOverAnotherPartial) {
  Writer first(package());
  ASSERT_TRUE(first.begin());
  const auto second = Writer(package()).begin();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kAlreadyExists);
}

TEST_F(WriterTest, NeverReplacesWhatHasAppearedMeanwhile) {
  Writer writer(package());
  ASSERT_TRUE(writer.begin());
  const Manifest manifest = written(writer);
  ASSERT_TRUE(make_directories(package()));
  ASSERT_TRUE(create_file(package() / "precious", "x"));
  const auto published = writer.publish(manifest);
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().code, ErrorCode::kAlreadyExists);
  EXPECT_TRUE(exists(package() / "precious"));
  EXPECT_TRUE(exists(writer.partial()));
}

// As when its file system is unmounted: another folder has the name.
TEST_F(WriterTest, WritesNothingToAnotherFolderOfTheName) {
  Writer writer(package());
  ASSERT_TRUE(writer.begin());
  const Manifest manifest = written(writer);
  const Path hidden = folder_.path() / "hidden";
  std::filesystem::rename(writer.partial(), hidden);
  for (const bool is_replaced : {false, true}) {
    if (is_replaced) {
      ASSERT_TRUE(make_directories(writer.partial()));
    }
    EXPECT_EQ(writer.check_in_place().error().code, ErrorCode::kIo);
    EXPECT_EQ(writer.add("more", "x").error().code, ErrorCode::kIo);
    EXPECT_EQ(writer.publish(manifest).error().code, ErrorCode::kIo);
    EXPECT_FALSE(exists(package()));
    EXPECT_EQ(exists(writer.partial()), is_replaced);
    EXPECT_TRUE(writer.abandon());
    EXPECT_EQ(exists(writer.partial()), is_replaced) << "another's folder is not removed";
  }
}

TEST_F(WriterTest, RemovesWhatItMadeAlsoWhereNobodySeesItAnyMore) {
  const Path outer = folder_.path() / "outer";
  ASSERT_TRUE(make_directories(outer));
  Writer writer(outer / "package");
  ASSERT_TRUE(writer.begin());
  ASSERT_TRUE(writer.add("file", "x"));
  std::filesystem::rename(outer, folder_.path() / "hidden");
  ASSERT_TRUE(writer.abandon());
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path() / "hidden"));
  EXPECT_FALSE(exists(outer));
}

TEST_F(WriterTest, RefusesToWriteOutsideThePackage) {
  Writer writer(package());
  ASSERT_TRUE(writer.begin());
  for (const std::string file : {"../x", "/x", "a/../../x", ""}) EXPECT_FALSE(writer.place_for(file)) << file;
}

TEST_F(WriterTest, RefusesToWriteAFileTwice) {
  Writer writer(package());
  ASSERT_TRUE(writer.begin());
  ASSERT_TRUE(writer.add("a", "1"));
  EXPECT_EQ(writer.add("a", "2").error().code, ErrorCode::kAlreadyExists);
}

TEST_F(WriterTest, DoesNotPublishWhatTheManifestGetsWrong) {
  Writer writer(package());
  ASSERT_TRUE(writer.begin());
  Manifest manifest = written(writer);
  manifest.machines[0].configuration.size += 1;
  EXPECT_FALSE(writer.publish(manifest));
  manifest.machines[0].configuration.size -= 1;
  manifest.machines[0].name = "";
  EXPECT_FALSE(writer.publish(manifest));
  EXPECT_FALSE(exists(package()));
}

TEST(FormatHashListTest, IsAcceptedBySha256sum) {
  const TemporaryFolder folder;
  Manifest manifest = full_manifest();
  manifest.machines.resize(1);
  // Names that a manifest cannot have are here, too: the list's form has a place for them.
  const std::vector<std::string> names{"a b", "ä:,€", " x", "*x", "back\\slash", "new\nline", "return\r"};
  manifest.machines[0].tpm_state.clear();
  manifest.machines[0].disks.clear();
  manifest.machines[0].nvram.reset();
  manifest.machines[0].configuration = {"configuration", 1, Sha256::of("c")};
  ASSERT_TRUE(create_file(folder.path() / "configuration", "c"));
  for (const auto& name : names) {
    ASSERT_TRUE(create_file(folder.path() / name, name));
    manifest.machines[0].tpm_state.push_back({name, name.size(), Sha256::of(name)});
  }
  ASSERT_TRUE(create_file(folder.path() / "cohort.json", "text"));
  ASSERT_TRUE(create_file(folder.path() / "SHA256SUMS", format_hash_list(manifest, "text")));
  const auto checked =
      run_process({"sh", "-c", "cd \"$0\" && sha256sum --check --strict SHA256SUMS", folder.path().native()});
  ASSERT_TRUE(checked);
  EXPECT_EQ(checked->exit_status, 0) << checked->out << checked->err;
  EXPECT_EQ(std::ranges::count(checked->out, '\n'), 9) << checked->out;
}

}  // namespace
}  // namespace cohort::package
