#include "service/disk_identity.h"

#include <gtest/gtest.h>

#include "base/temporary_folder.h"
#include "service/testing/lab.h"

namespace cohort::service {
namespace {

class DiskIdentityTest : public ::testing::Test {
 protected:
  DiskIdentityTest() { lab.add_shop(); }

  // Of the first disk of "web", in a snapshot that is taken now.
  DiskId taken_as(const std::string& name) { return lab.take_of_shop(name).value().members[0].disks[0].id; }

  Lab lab;
};

TEST_F(DiskIdentityTest, IsTheSameInEverySnapshotOfADisk) {
  const DiskId first = taken_as("one");
  EXPECT_FALSE(first.is_nil());
  EXPECT_EQ(taken_as("two"), first);
  ASSERT_TRUE(lab.delete_snapshot({"one"}));
  EXPECT_EQ(taken_as("three"), first);
}

TEST_F(DiskIdentityTest, IsTheSameAgainWhenAllSnapshotsAreGone) {
  const DiskId first = taken_as("one");
  ASSERT_TRUE(lab.delete_snapshot({"one"}));
  EXPECT_EQ(taken_as("two"), first);
}

TEST_F(DiskIdentityTest, IsAnotherForEachDiskOfEachMachine) {
  const auto members = lab.take_of_shop("one").value().members;
  EXPECT_NE(members[0].disks[0].id, members[0].disks[1].id);
  EXPECT_NE(members[0].disks[0].id, members[1].disks[0].id);
}

TEST(DiskIdentity, IsAnotherWhenAnotherFileIsInThePlace) {
  const TemporaryFolder folder;
  const Path file = folder.path() / "disk.qcow2";
  const MachineId machine = MachineId::generate();
  const MachineDisk disk{"vda", {{file, "qcow2"}}, 1};
  ASSERT_TRUE(create_file(file, "one"));
  const DiskId first = identity_of(machine, disk, {});
  EXPECT_EQ(identity_of(machine, disk, {}), first);
  ASSERT_TRUE(create_file(folder.path() / "other", "two"));
  std::filesystem::rename(folder.path() / "other", file);
  EXPECT_NE(identity_of(machine, disk, {}), first);
  EXPECT_NE(identity_of(MachineId::generate(), disk, {}), identity_of(machine, disk, {}));
}

}  // namespace
}  // namespace cohort::service
