#include "hypervisor/state_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/temporary_folder.h"

namespace cohort::hypervisor {
namespace {

TEST(TpmFiles, AreReadAsTheyWereWritten) {
  const TemporaryFolder folder;
  const Path state = folder.path() / "uuid";
  ASSERT_TRUE(write_tpm_files({{"tpm2/tpm2-00.permall", "state"}}, state, ::geteuid(), ::getegid()));
  ASSERT_TRUE(create_file(state / "tpm2/.lock", ""));
  const auto files = read_tpm_files(state);
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 1U);
  EXPECT_EQ(files->front().name, "tpm2/tpm2-00.permall");
  EXPECT_EQ(files->front().content, "state");
}

TEST(TpmFiles, AreNoneWhereThereIsNoFolder) {
  const TemporaryFolder folder;
  const auto files = read_tpm_files(folder.path() / "nothing");
  ASSERT_TRUE(files);
  EXPECT_TRUE(files->empty());
}

TEST(TpmFiles, DoNotReplaceWhatIsThere) {
  const TemporaryFolder folder;
  const auto written = write_tpm_files({{"tpm2/a", "state"}}, folder.path(), ::geteuid(), ::getegid());
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::kAlreadyExists);
}

TEST(TpmFiles, DoNotLeaveTheirFolder) {
  const TemporaryFolder folder;
  for (const char* name : {"../a", "/a", "tpm2/../../a", "", ".", "tpm2/", "a/b/c"}) {
    EXPECT_FALSE(write_tpm_files({{name, "x"}}, folder.path() / "uuid", ::geteuid(), ::getegid())) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "uuid"));
}

}  // namespace
}  // namespace cohort::hypervisor
