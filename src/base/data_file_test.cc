#include "base/data_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/process.h"
#include "base/temporary_folder.h"

namespace cohort {
namespace {

class DataFileTest : public ::testing::Test {
 protected:
  void create(const std::string& options) const {
    const auto created = run_process({"qemu-img", "create", "-q", "-f", "qcow2", "-o", options, image.string(), "1M"});
    ASSERT_TRUE(created && created->exit_status == 0) << (created ? created->err : created.error().describe());
  }
  void put(std::streamoff place, const std::string& bytes) const {
    std::fstream(image, std::ios::in | std::ios::out | std::ios::binary).seekp(place) << bytes;
  }
  [[nodiscard]] FileStamp stamp() const { return stamp_of_image(image, "qcow2").value_or(FileStamp()); }

  TemporaryFolder folder;
  Path image = folder.path() / "image";
  Path data = folder.path() / "its data";
};

TEST_F(DataFileTest, IsWhatTheHeadNames) {
  create("data_file=" + data.string());
  EXPECT_EQ(data_file_of(image, "qcow2").value(), data);
  EXPECT_EQ(data_file_of(image, "raw").value(), "") << "a guest may have written those bytes";
}

TEST_F(DataFileTest, IsNoneOfAnImageThatHasNone) {
  create("compat=0.10");
  EXPECT_EQ(data_file_of(image, "qcow2").value(), "");
  create("cluster_size=2M");
  EXPECT_EQ(data_file_of(image, "qcow2").value(), "");
  EXPECT_EQ(stamp(), stamp_of(image).value());
  ASSERT_TRUE(create_file(data, "short"));
  EXPECT_EQ(data_file_of(data, "qcow2").value(), "");
  EXPECT_EQ(data_file_of(folder.path() / "none", "qcow2").error().code, ErrorCode::kNotFound);
}

TEST_F(DataFileTest, IsRefusedWhereTheHeadIsDamaged) {
  create("data_file=" + data.string());
  std::string head(1000, '\0');
  std::ifstream(image, std::ios::binary).read(head.data(), 1000);
  const auto extension = head.find("DATA");
  ASSERT_NE(extension, std::string::npos);
  put(static_cast<std::streamoff>(extension) + 4, std::string("\x7f\xff\xff\xff", 4));
  EXPECT_EQ(data_file_of(image, "qcow2").error().code, ErrorCode::kCorrupt);
  put(static_cast<std::streamoff>(extension), "else");
  put(static_cast<std::streamoff>(extension) + 4, std::string("\0\0\0\1", 4));
  EXPECT_EQ(data_file_of(image, "qcow2").error().code, ErrorCode::kCorrupt) << "it is not named";
  std::filesystem::resize_file(image, 104);
  EXPECT_EQ(data_file_of(image, "qcow2").error().code, ErrorCode::kCorrupt);
}

TEST_F(DataFileTest, AWriteToItChangesTheImagesStamp) {
  create("data_file=" + data.string());
  const FileStamp before = stamp();
  const FileStamp own = stamp_of(image).value();
  std::filesystem::last_write_time(data, std::filesystem::last_write_time(data) + std::chrono::seconds(1));
  EXPECT_NE(stamp(), before);
  EXPECT_EQ(stamp().inode, before.inode);
  EXPECT_EQ(stamp_of(image).value(), own);
  std::filesystem::rename(data, folder.path() / "moved");
  EXPECT_EQ(stamp_of_image(image, "qcow2").error().code, ErrorCode::kNotFound);
}

TEST_F(DataFileTest, AWriteToTheImageIsNotHiddenByADataFileOfTheFuture) {
  create("data_file=" + data.string());
  std::filesystem::last_write_time(data, std::filesystem::file_time_type::clock::now() + std::chrono::hours(1000));
  const FileStamp before = stamp();
  std::filesystem::last_write_time(image, std::filesystem::last_write_time(image) + std::chrono::seconds(1));
  EXPECT_NE(stamp(), before);
}

}  // namespace
}  // namespace cohort
