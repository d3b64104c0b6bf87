// What every StateStore does, whatever it keeps the state in.
//
// An implementation joins by a factory in state_store_test.cc.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/temporary_folder.h"
#include "service/ports/state_store.h"

namespace cohort::contract {

struct StateStoreFactory {
  std::string name;
  // An empty store that may use this folder.
  std::function<std::unique_ptr<service::StateStore>(const Path& folder)> make;
};

class StateStoreContract : public ::testing::TestWithParam<StateStoreFactory> {
 protected:
  void SetUp() override {
    store_ = GetParam().make(folder_.path());
    ASSERT_NE(store_, nullptr);
  }

  [[nodiscard]] service::StateStore& store() { return *store_; }
  [[nodiscard]] const Path& folder() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<service::StateStore> store_;
};

inline WallTime at(std::int64_t microseconds) { return WallTime(Microseconds(microseconds)); }

inline Collection collection_named(const std::string& name) {
  return Collection{CollectionId::generate(), name, CollectionKind::kMachines, at(1'700'000'000'123'456), {}, {}};
}

inline Job queued_job(std::int64_t created = 1'700'000'000'000'001) {
  Job job;
  job.id = JobId::generate();
  job.type = JobType::kExport;
  job.subject = "Büro № 1";
  job.pid = 4711;
  job.created = at(created);
  job.owner = "Änne";
  return job;
}

inline DiskSnapshot disk_on(const Path& frozen, const std::string& target = "vda") {
  return {target, {frozen, "qcow2"}, Path(frozen.native() + ".overlay"), 2UL << 30U};
}

// A snapshot with nothing optional in it.
inline Snapshot bare_snapshot(std::int64_t instant = 5) {
  Snapshot snapshot;
  snapshot.id = SnapshotId::generate();
  snapshot.name = "bare";
  snapshot.collection = CollectionId::generate();
  snapshot.collection_name = "web";
  snapshot.instant = at(instant);
  MemberSnapshot off;
  off.machine = MachineId::generate();
  off.name = "off";
  off.disks = {disk_on("/disks/off.qcow2")};
  snapshot.members = {off};
  return snapshot;
}

// A snapshot in which every field has a value that is not its default.
inline Snapshot full_snapshot(std::int64_t instant = 1'700'000'000'500'001) {
  Snapshot snapshot = bare_snapshot(instant);
  snapshot.name = "Größe 数据 “x”; DROP TABLE snapshot --";
  snapshot.collection_name = "Büro\n№ 1";
  snapshot.state = SnapshotState::kDeleting;
  snapshot.fence = {Milliseconds(2500), Microseconds(43'210), at(instant), at(instant + 20'000), Milliseconds(7500)};
  snapshot.asked = ConsistencyWish::kBest;
  snapshot.kept_for = Path("/backup/ö\xff");
  snapshot.kind = SnapshotKind::kStandard;
  snapshot.parent = SnapshotId::generate();
  snapshot.arrival = 1UL << 40U;
  snapshot.reference_point = ReferencePointId::generate();
  MemberSnapshot running;
  running.machine = MachineId::generate();
  running.name = "Datenbank ß";
  running.power = PowerState::kRunning;
  running.configuration = "<domain type='qemu'>\n  <name>Datenbank ß</name>\n</domain>\n";
  // A path is bytes; this one is no UTF-8.
  running.disks = {{"vda",
                    {"/var/lib/libvirt/images/ein Platz/ö.qcow2", "qcow2"},
                    "/x/ö.cohort-1.qcow2",
                    1,
                    FileStamp{1UL << 63U, 2UL << 40U, -1},
                    true,
                    Path("/x/\xfe below"),
                    DiskId::generate(),
                    TrackingId::generate()},
                   {"sdb", {Path("/x/\xff\xfe.img"), "raw"}, "/x/b.qcow2", 1UL << 60U}};
  running.left_out = {{"sda", LeftOutReason::kCdrom, "/iso/ä.iso"}, {"sdc", LeftOutReason::kPassThrough, ""}};
  running.pause = Pause{at(instant - 5), at(instant + 20'001)};
  running.has_nvram = true;
  running.has_tpm = true;
  running.definition = "<domain>ß</domain>";
  running.memory = MemorySnapshot{Path("/x/\xff.mem"), 1UL << 40U};
  running.consistency = {Consistency::kFileSystem, "Größe; --", true, Microseconds(1'234'567), true};
  MemberSnapshot nameless_paused;
  nameless_paused.machine = MachineId::generate();
  nameless_paused.power = PowerState::kPaused;
  snapshot.members.insert(snapshot.members.begin(), running);
  snapshot.members.push_back(nameless_paused);
  return snapshot;
}

// Equality of values, told field by field when they differ.
void expect_same(const Layer& a, const Layer& b);
void expect_same(const DiskSnapshot& a, const DiskSnapshot& b);
void expect_same(const LeftOutDisk& a, const LeftOutDisk& b);
void expect_same(const MachineMember& a, const MachineMember& b);
void expect_same(const MemberSnapshot& a, const MemberSnapshot& b);
void expect_same(const Snapshot& a, const Snapshot& b);
void expect_same(const Collection& a, const Collection& b);
void expect_same(const Job& a, const Job& b);

inline void expect_same(const Layer& a, const Layer& b) {
  EXPECT_EQ(a.path.native(), b.path.native());
  EXPECT_EQ(a.format, b.format);
}

inline void expect_same(const DiskSnapshot& a, const DiskSnapshot& b) {
  EXPECT_EQ(a.target, b.target);
  expect_same(a.frozen, b.frozen);
  EXPECT_EQ(a.overlay.native(), b.overlay.native());
  EXPECT_EQ(a.virtual_size, b.virtual_size);
  EXPECT_EQ(a.merged, b.merged);
  EXPECT_EQ(a.stands_on, b.stands_on);
  EXPECT_EQ(a.stamp, b.stamp);
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.tracking_id, b.tracking_id);
}

inline void expect_same(const LeftOutDisk& a, const LeftOutDisk& b) {
  EXPECT_EQ(a.target, b.target);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.source, b.source);
}

inline void expect_same(const MachineMember& a, const MachineMember& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.name, b.name);
}

template <typename T>
void expect_same_list(const std::vector<T>& a, const std::vector<T>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    expect_same(a[i], b[i]);
  }
}

inline void expect_same(const MemberSnapshot& a, const MemberSnapshot& b) {
  EXPECT_EQ(a.machine, b.machine);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.power, b.power);
  EXPECT_EQ(a.configuration, b.configuration);
  expect_same_list(a.disks, b.disks);
  expect_same_list(a.left_out, b.left_out);
  ASSERT_EQ(a.pause.has_value(), b.pause.has_value());
  if (a.pause) {
    EXPECT_EQ(a.pause->stopped, b.pause->stopped);
    EXPECT_EQ(a.pause->resumed, b.pause->resumed);
  }
  EXPECT_EQ(a.has_nvram, b.has_nvram);
  EXPECT_EQ(a.has_tpm, b.has_tpm);
  EXPECT_EQ(a.definition, b.definition);
  ASSERT_EQ(a.memory.has_value(), b.memory.has_value());
  if (a.memory) {
    EXPECT_EQ(a.memory->file, b.memory->file);
    EXPECT_EQ(a.memory->bytes, b.memory->bytes);
  }
  EXPECT_EQ(a.consistency.level, b.consistency.level);
  EXPECT_EQ(a.consistency.reason, b.consistency.reason);
  EXPECT_EQ(a.consistency.frozen_by_others, b.consistency.frozen_by_others);
  EXPECT_EQ(a.consistency.frozen, b.consistency.frozen);
  EXPECT_EQ(a.consistency.may_be_frozen, b.consistency.may_be_frozen);
}

inline void expect_same(const Snapshot& a, const Snapshot& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.collection, b.collection);
  EXPECT_EQ(a.collection_name, b.collection_name);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.instant, b.instant);
  EXPECT_EQ(a.fence.deadline, b.fence.deadline);
  EXPECT_EQ(a.fence.raised, b.fence.raised);
  EXPECT_EQ(a.fence.overlap_begin, b.fence.overlap_begin);
  EXPECT_EQ(a.fence.overlap_end, b.fence.overlap_end);
  EXPECT_EQ(a.fence.freeze_deadline, b.fence.freeze_deadline);
  EXPECT_EQ(a.asked, b.asked);
  EXPECT_EQ(a.kept_for, b.kept_for);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.parent, b.parent);
  EXPECT_EQ(a.arrival, b.arrival);
  EXPECT_EQ(a.reference_point, b.reference_point);
  expect_same_list(a.members, b.members);
}

inline void expect_same(const Collection& a, const Collection& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.created, b.created);
  expect_same_list(a.machines, b.machines);
  EXPECT_EQ(a.collections, b.collections);
}

inline void expect_same(const Job& a, const Job& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.type, b.type);
  EXPECT_EQ(a.subject, b.subject);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.pid, b.pid);
  EXPECT_EQ(a.progress.phase, b.progress.phase);
  EXPECT_EQ(a.progress.done_bytes, b.progress.done_bytes);
  EXPECT_EQ(a.progress.total_bytes, b.progress.total_bytes);
  EXPECT_EQ(a.created, b.created);
  EXPECT_EQ(a.started, b.started);
  EXPECT_EQ(a.ended, b.ended);
  ASSERT_EQ(a.error.has_value(), b.error.has_value());
  if (a.error) {
    EXPECT_EQ(a.error->code, b.error->code);
    EXPECT_EQ(a.error->message, b.error->message);
    EXPECT_EQ(a.error->cause, b.error->cause);
    EXPECT_EQ(a.error->context, b.error->context);
  }
  EXPECT_EQ(a.result, b.result);
  EXPECT_EQ(a.owner, b.owner);
  EXPECT_EQ(a.works_on, b.works_on);
}

template <typename T>
[[nodiscard]] ::testing::AssertionResult is_ok(const Result<T>& result) {
  return result ? ::testing::AssertionSuccess() : ::testing::AssertionFailure() << result.error().describe();
}

template <typename T>
[[nodiscard]] ::testing::AssertionResult fails_with(ErrorCode code, const Result<T>& result) {
  if (result) {
    return ::testing::AssertionFailure() << "succeeds";
  }
  return result.error().code == code
             ? ::testing::AssertionSuccess()
             : ::testing::AssertionFailure() << to_string(result.error().code) << ": " << result.error().describe();
}

}  // namespace cohort::contract
