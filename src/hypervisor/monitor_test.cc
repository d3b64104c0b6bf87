// The answers are those of a QEMU 7.2 that libvirt 9.0 has started, shortened.
#include "hypervisor/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cohort::hypervisor {
namespace {

using testing::IsEmpty;

constexpr const char* kBlock = R"({"return": [
  {"io-status": "ok", "device": "", "locked": false, "removable": false, "inserted": {
    "image": {
      "backing-image": {"virtual-size": 65536, "filename": "/disks/vda.qcow2", "format": "qcow2", "dirty-flag": false},
      "backing-filename-format": "qcow2", "virtual-size": 65536, "filename": "/disks/vda.cohort-1a2b3c4d.qcow2",
      "format": "qcow2", "backing-filename": "/disks/vda.qcow2"},
    "node-name": "libvirt-4-format", "backing_file_depth": 1, "drv": "qcow2",
    "file": "/disks/vda.cohort-1a2b3c4d.qcow2"},
   "qdev": "/machine/peripheral/virtio-disk0/virtio-backend", "type": "unknown"},
  {"device": "", "locked": false, "removable": true, "qdev": "sata0-0-1", "tray_open": false, "type": "unknown"},
  {"device": "", "inserted": {"node-name": "libvirt-1-format", "drv": "raw", "image": {
     "filename": "json:{\"driver\": \"raw\", \"offset\": 512, \"file\": {\"driver\": \"file\", \"filename\": \"/disks/b.raw\"}}",
     "format": "raw"}}, "qdev": "scsi0-0-0-0"},
  {"device": "", "inserted": {"node-name": "libvirt-9-format", "drv": "raw", "image": {
     "filename": "nbd://host/export", "format": "raw"}}, "qdev": "scsi0-0-0-1"}
], "id": "libvirt-11"})";

TEST(QueryBlock, TellsTheFilesOfEachDevice) {
  const auto disks = parse_query_block(kBlock);
  ASSERT_TRUE(disks) << disks.error().describe();
  ASSERT_EQ(disks->size(), 4U);
  const QemuDisk& disk = disks->front();
  EXPECT_EQ(disk.node, "libvirt-4-format");
  ASSERT_EQ(disk.chain.size(), 2U);
  EXPECT_EQ(disk.chain[0].path, "/disks/vda.cohort-1a2b3c4d.qcow2");
  EXPECT_EQ(disk.chain[1].path, "/disks/vda.qcow2");
  EXPECT_EQ(disk.chain[1].format, "qcow2");
  EXPECT_THAT(disks->at(1).chain, IsEmpty()) << "an empty drive";
  ASSERT_EQ(disks->at(2).chain.size(), 1U) << "options in place of a name";
  EXPECT_EQ(disks->at(2).chain[0].path, "/disks/b.raw");
  EXPECT_THAT(disks->at(3).chain, IsEmpty()) << "no file";
}

TEST(QueryBlock, KnowsDevicesByLibvirtsAliases) {
  const auto disks = parse_query_block(kBlock);
  ASSERT_TRUE(disks) << disks.error().describe();
  EXPECT_TRUE(disks->at(0).has_alias("virtio-disk0"));
  EXPECT_FALSE(disks->at(0).has_alias("virtio-disk"));
  EXPECT_FALSE(disks->at(0).has_alias(""));
  EXPECT_TRUE(disks->at(2).has_alias("scsi0-0-0-0"));
  EXPECT_FALSE(disks->at(3).has_alias("scsi0-0-0-0"));
}

TEST(QueryNodes, TellsEachNodeWithItsFile) {
  const auto nodes = parse_query_nodes(R"({"return": [
    {"node-name": "libvirt-4-format", "drv": "qcow2", "file": "/disks/a", "ro": false},
    {"node-name": "libvirt-4-storage", "drv": "file", "file": "/disks/a", "ro": false},
    {"node-name": "libvirt-5-storage", "drv": "nbd", "file": "nbd://host"}], "id": "x"})");
  ASSERT_TRUE(nodes) << nodes.error().describe();
  ASSERT_EQ(nodes->size(), 3U);
  EXPECT_EQ(nodes->at(0).driver, "qcow2");
  EXPECT_EQ(nodes->at(1).name, "libvirt-4-storage");
  EXPECT_EQ(nodes->at(1).file, "/disks/a");
  EXPECT_TRUE(nodes->at(2).file.empty());
}

TEST(QueryJobs, FindsTheJobOfAnId) {
  constexpr const char* kJobs = R"({"return": [
    {"current-progress": 5, "status": "running", "total-progress": 9, "type": "commit", "id": "other"},
    {"current-progress": 196608, "status": "concluded", "total-progress": 262144, "type": "commit", "id": "ours",
     "error": "No space left on device"}], "id": "libvirt-25"})";
  const auto job = parse_query_jobs(kJobs, "ours");
  ASSERT_TRUE(job && *job);
  EXPECT_EQ((*job)->status, "concluded");
  EXPECT_EQ((*job)->done, 196608U);
  EXPECT_EQ((*job)->total, 262144U);
  EXPECT_EQ((*job)->error, "No space left on device");
  const auto none = parse_query_jobs(kJobs, "our");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->has_value());
}

TEST(QemuAnswers, AreReportedIfTheyAreErrorsOrNotUnderstood) {
  const auto refused =
      parse_query_block(R"({"error": {"class": "GenericError", "desc": "Node 'x' is busy"}, "id": "libvirt-1"})");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kHypervisor);
  EXPECT_EQ(refused.error().cause, "Node 'x' is busy");
  for (const char* answer :
       {"", "[]", "{}", "null", "{\"return\": {}}", "{\"return\": 7}", "{\"return\": [", "{\"error\": 1}"}) {
    const auto parsed = parse_query_nodes(answer);
    ASSERT_FALSE(parsed) << answer;
    EXPECT_EQ(parsed.error().code, ErrorCode::kCorrupt) << answer;
  }
  const auto odd =
      parse_query_block(R"({"return": [7, {"inserted": {"image": {"filename": "json:{"}}}, {"inserted": []}]})");
  ASSERT_TRUE(odd) << odd.error().describe();
  for (const QemuDisk& disk : *odd) EXPECT_THAT(disk.chain, IsEmpty());
}

}  // namespace
}  // namespace cohort::hypervisor
