#include "hypervisor/overlay_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stop_token>
#include <thread>

#include "base/clock.h"
#include "base/process.h"
#include "base/temporary_folder.h"
#include "hypervisor/image_chain.h"

namespace cohort::hypervisor {
namespace {

class OverlayFile : public testing::Test {
 protected:
  OverlayFile() {
    std::filesystem::create_directory(place_);
    EXPECT_EQ(run({"qemu-img", "create", "-q", "-f", "raw", disk_.frozen.path.string(), "1M"}), 0);
  }
  static int run(const std::vector<std::string>& argv) {
    const auto output = run_process(argv);
    return output ? output->exit_status : -1;
  }
  [[nodiscard]] int write_with_qemu() const {
    return run({"qemu-io", "-f", "qcow2", "-c", "write 0 64k", disk_.overlay.string()});
  }

  static uid_t owner_of(const Path& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0);
    return status.st_uid;
  }

  TemporaryFolder folder_;
  Path place_ = folder_.path() / "json:a, b=\"ü\" nbd:1";
  DiskSnapshot disk_{"vda", {place_ / "frozen, x", "raw"}, place_ / "over:lay", 1U << 20U};
};

TEST_F(OverlayFile, StandsOnTheFrozenFileWhateverItsName) {
  ASSERT_TRUE(create_overlay_file(disk_));
  const auto chain = read_image_chain({disk_.overlay, "qcow2"});
  ASSERT_TRUE(chain) << chain.error().describe();
  ASSERT_EQ(chain->layers.size(), 2U);
  EXPECT_EQ(chain->layers[1].path, disk_.frozen.path);
  EXPECT_EQ(chain->layers[1].format, "raw");
  struct stat status {};
  ASSERT_EQ(::stat(disk_.overlay.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(OverlayFile, BelongsToTheOwnerOfTheFileBesideIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "SKIP: only root can give files away";
  ASSERT_EQ(::chown(disk_.frozen.path.c_str(), 4711, 4711), 0);
  ASSERT_TRUE(create_overlay_file(disk_));
  EXPECT_EQ(owner_of(disk_.overlay), 4711U);
}

TEST_F(OverlayFile, BelongsToNobodyElseWhenTheFileBelowIsInAnotherFolder) {
  if (::geteuid() != 0) GTEST_SKIP() << "SKIP: only root can give files away";
  ASSERT_EQ(::chown(disk_.frozen.path.c_str(), 4711, 4711), 0);
  disk_.overlay = folder_.path() / "elsewhere.qcow2";
  ASSERT_TRUE(create_overlay_file(disk_));
  EXPECT_EQ(owner_of(disk_.overlay), 0U);
}

TEST_F(OverlayFile, IsNeverMadeOverAnExistingFile) {
  ASSERT_TRUE(create_file(disk_.overlay, "precious"));
  const auto created = create_overlay_file(disk_);
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().code, ErrorCode::kAlreadyExists);
  EXPECT_EQ(read_file(disk_.overlay, 100).value_or(""), "precious");
}

TEST_F(OverlayFile, LeavesNothingBehindWhenItCannotBeMade) {
  disk_.frozen.format = "no-such-format";
  EXPECT_FALSE(create_overlay_file(disk_));
  EXPECT_FALSE(std::filesystem::exists(disk_.overlay));
}

// What QEMU leaves of an image with lazy reference counts when it is killed.
class UncleanImage : public OverlayFile {
 protected:
  UncleanImage() {
    disk_.frozen = {place_ / "unclean", "qcow2"};
    EXPECT_EQ(run({"qemu-img", "create", "-q", "-f", "qcow2", "-o", "lazy_refcounts=on", path(), "1M"}), 0);
    EXPECT_EQ(run({"qemu-io", "-f", "qcow2", "-c", "write -P 7 0 64k", path()}), 0);
    std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(kLowestFeatures);
    file.put(1);
  }
  [[nodiscard]] std::string path() const { return disk_.frozen.path.string(); }
  [[nodiscard]] bool is_unclean() const {
    std::ifstream file(path(), std::ios::binary);
    file.seekg(kLowestFeatures);
    return file.get() != 0;
  }

  static constexpr int kLowestFeatures = 79;  // the last byte of incompatible_features
};

TEST_F(UncleanImage, IsPutInOrderBeforeItIsFrozen) {
  ASSERT_TRUE(is_unclean());
  const auto made = create_overlay_file(disk_);
  ASSERT_TRUE(made) << made.error().describe();
  EXPECT_FALSE(is_unclean());
  EXPECT_EQ(run({"qemu-img", "check", "-q", "-f", "qcow2", path()}), 0);
  EXPECT_EQ(run({"qemu-io", "-r", "-f", "qcow2", "-c", "read -P 7 0 64k", path()}), 0);
}

TEST_F(UncleanImage, IsLeftAloneWhenItIsFrozenAlready) {
  disk_.stamp = FileStamp{1, 1, 1};
  ASSERT_TRUE(create_overlay_file(disk_));
  EXPECT_TRUE(is_unclean());
}

TEST_F(OverlayFile, HoldsMoreThanTheFrozenFileFromTheFirstWriteThatDiffers) {
  const auto holds_more = [&] { return holds_more_than_frozen(disk_, {}).value(); };
  EXPECT_FALSE(holds_more()) << "not there";
  ASSERT_TRUE(create_overlay_file(disk_));
  EXPECT_FALSE(holds_more()) << "empty";
  ASSERT_EQ(run({"qemu-io", "-f", "qcow2", "-c", "write -P 0 64k 64k", disk_.overlay.string()}), 0);
  EXPECT_FALSE(holds_more()) << "written to, but with what was there";
  ASSERT_EQ(write_with_qemu(), 0);
  EXPECT_TRUE(holds_more());
  ASSERT_EQ(run({"qemu-img", "commit", "-q", "-d", "-f", "qcow2", disk_.overlay.string()}), 0);
  EXPECT_FALSE(holds_more()) << "merged";
}

TEST_F(OverlayFile, ThatCannotBeComparedIsNotTakenForEmpty) {
  ASSERT_TRUE(create_overlay_file(disk_));
  ASSERT_EQ(write_with_qemu(), 0);
  std::filesystem::remove(disk_.frozen.path);
  EXPECT_FALSE(holds_more_than_frozen(disk_, {}));
}

TEST_F(OverlayFile, IsRemovedOnceAndAgain) {
  ASSERT_TRUE(create_overlay_file(disk_));
  EXPECT_TRUE(remove_overlay_file(disk_.overlay));
  EXPECT_FALSE(std::filesystem::exists(disk_.overlay));
  EXPECT_TRUE(remove_overlay_file(disk_.overlay));
}

TEST_F(OverlayFile, IsNotRemovedIfItIsSomethingElse) {
  ASSERT_TRUE(create_file(disk_.overlay, std::string(4096, 'x')));
  EXPECT_FALSE(remove_overlay_file(disk_.overlay));
  EXPECT_TRUE(std::filesystem::exists(disk_.overlay));
}

TEST_F(OverlayFile, WithAnInternalSnapshotIsNotMerged) {
  ASSERT_TRUE(create_overlay_file(disk_));
  EXPECT_TRUE(check_no_internal_snapshot(disk_));
  ASSERT_EQ(run({"qemu-img", "snapshot", "-c", "theirs", disk_.overlay.string()}), 0);
  const auto checked = check_no_internal_snapshot(disk_);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::kInvalidState);
}

TEST_F(OverlayFile, BehindABarrierIsNotWrittenByQemu) {
  ASSERT_TRUE(create_overlay_file(disk_));
  {
    const auto barrier = WriteBarrier::raise(disk_.overlay);
    ASSERT_TRUE(barrier) << barrier.error().describe();
    EXPECT_NE(write_with_qemu(), 0);
  }
  EXPECT_EQ(write_with_qemu(), 0);
}

TEST_F(OverlayFile, IsNotWrittenToIfItIsNotThere) {
  const auto is_written = is_written_to(place_ / "missing");
  ASSERT_TRUE(is_written) << is_written.error().describe();
  EXPECT_FALSE(*is_written);
}

TEST_F(OverlayFile, IsKnownToBeWrittenToWhileQemuWritesToIt) {
  ASSERT_TRUE(create_overlay_file(disk_));
  EXPECT_TRUE(check_nobody_writes(disk_.overlay, "vda", "web"));
  std::stop_source stop;
  const std::jthread qemu([this, &stop] {
    static_cast<void>(
        run_process({"qemu-io", "-f", "qcow2", "-c", "sleep 20000", disk_.overlay.string()}, stop.get_token()));
  });
  ErrorCode code = ErrorCode::kInternal;
  for (int i = 0; i < 500 && code != ErrorCode::kInUse; ++i) {
    std::this_thread::sleep_for(Milliseconds(10));
    // Held for a moment only, so that QEMU gets its chance.
    if (const auto barrier = WriteBarrier::raise(disk_.overlay); !barrier) code = barrier.error().code;
  }
  EXPECT_EQ(code, ErrorCode::kInUse);
  const auto unused = check_nobody_writes(disk_.overlay, "vda", "web");
  ASSERT_FALSE(unused);
  EXPECT_EQ(unused.error().code, ErrorCode::kInUse);
  const auto removed = remove_overlay_file(disk_.overlay);
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().code, ErrorCode::kInUse);
  EXPECT_TRUE(std::filesystem::exists(disk_.overlay));
  stop.request_stop();
}

}  // namespace
}  // namespace cohort::hypervisor
