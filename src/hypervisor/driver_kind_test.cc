#include "hypervisor/driver_kind.h"

#include <gtest/gtest.h>

namespace cohort::hypervisor {
namespace {

TEST(DriverKind, TakesSnapshotsWithQemuOnThisHostOnly) {
  EXPECT_TRUE(driver_kind("QEMU", "qemu:///system").can_snapshot());
  EXPECT_TRUE(driver_kind("QEMU", "qemu+unix:///system?socket=/run/libvirt/sock").can_snapshot());
  EXPECT_TRUE(driver_kind("QEMU", "qemu+tls://localhost/system").can_snapshot());
  EXPECT_FALSE(driver_kind("QEMU", "qemu+ssh://root@elsewhere/system").can_snapshot());
  EXPECT_FALSE(driver_kind("TEST", "test:///default").can_snapshot());
}

TEST(DriverKind, KnowsTheFoldersOfSystemAndSession) {
  EXPECT_EQ(disk_storage(driver_kind("QEMU", "qemu:///system")), "/var/lib/libvirt/images");
  EXPECT_EQ(tpm_storage(driver_kind("QEMU", "qemu:///system")), "/var/lib/libvirt/swtpm");
  EXPECT_NE(disk_storage(driver_kind("QEMU", "qemu:///session")), "/var/lib/libvirt/images");
  EXPECT_EQ(process_id_folder(driver_kind("QEMU", "qemu:///system")), "/run/libvirt/qemu");
  EXPECT_TRUE(process_id_folder(driver_kind("QEMU", "qemu:///session")).string().ends_with("/libvirt/qemu/run"));
}

}  // namespace
}  // namespace cohort::hypervisor
