#include "cli/testing/examples.h"

#include <chrono>

namespace cohort::cli {

namespace {

constexpr std::uint64_t kGiB = 1024ULL * 1024 * 1024;

// The id whose hex digits end in this one.
template <typename IdType>
IdType id_of(char digit) {
  return IdType::parse("00000000-0000-4000-8000-00000000000" + std::string(1, digit)).value_or(IdType{});
}

MachineSummary machine(char digit, const std::string& name, PowerState power) {
  return MachineSummary{id_of<MachineId>(digit), name, power, true};
}

service::MemberView member(const MachineSummary& summary) { return {{summary.id, summary.name}, summary}; }

DiskSnapshot disk(const std::string& name) {
  return {"vda", {"/vm/" + name + ".qcow2", "qcow2"}, "/vm/" + name + ".cohort-00000000.qcow2", 2 * kGiB};
}

MemberSnapshot member_snapshot(char digit, const std::string& name, PowerState power) {
  MemberSnapshot member;
  member.machine = id_of<MachineId>(digit);
  member.name = name;
  member.power = power;
  member.configuration = "<domain/>";
  member.disks = {disk(name)};
  return member;
}

package::ParentPackage parent() {
  return {"../shop-monday", std::string(64, '6'), id_of<SnapshotId>('4'), "monday", example_time(-90'000'000)};
}

package::MachineEntry machine_entry() {
  package::MachineEntry entry;
  entry.id = id_of<MachineId>('a');
  entry.name = "db";
  entry.power = PowerState::kRunning;
  entry.pause = Pause{example_time(1000), example_time(19200)};
  entry.configuration = {"Virtual Machines/00000000-0000-4000-8000-00000000000a.xml", 1234, std::string(64, '1')};
  entry.disks = {{"vda",
                  "qcow2",
                  2 * kGiB,
                  {"Virtual Hard Disks/db-vda.qcow2", 300'000'000, std::string(64, '2')},
                  std::string(64, '5')}};
  entry.disks[0].parent =
      package::ParentDisk{"../shop-monday/Virtual Hard Disks/db-vda.qcow2", "qcow2", std::string(64, '7')};
  entry.left_out = {{"sda", LeftOutReason::kCdrom, "/iso/debian.iso"}};
  return entry;
}

package::Manifest manifest() {
  package::Manifest manifest;
  manifest.format_version = package::kSealedFormatVersion;
  manifest.created_by = "cohort 0.1.0";
  manifest.created = example_time(900'000);
  manifest.collection = id_of<CollectionId>('c');
  manifest.collection_name = "shop";
  manifest.snapshot = id_of<SnapshotId>('5');
  manifest.snapshot_name = "before-upgrade";
  manifest.instant = example_time(4000);
  manifest.fence = example_snapshot().fence;
  manifest.parent = parent();
  manifest.machines = {machine_entry()};
  return manifest;
}

service::ImportedMachine imported(bool is_plan) {
  service::ImportedMachine machine;
  machine.original_name = "db";
  machine.name = "try-db";
  machine.id = is_plan ? MachineId{} : id_of<MachineId>('e');
  machine.disks = {{"vda", {"/vm/try-db-vda.qcow2", "qcow2"}}};
  machine.left_out = {{"sda", LeftOutReason::kCdrom, "/iso/debian.iso"},
                      {"vdx", LeftOutReason::kNotAFile, "/dev/vg/db"}};
  machine.bytes = 300'000'000;
  machine.started = true;
  return machine;
}

}  // namespace

WallTime example_time(std::int64_t microseconds) {
  constexpr std::int64_t kSecond = 1'769'903'999;  // 2026-01-31T23:59:59Z
  return WallTime{Microseconds{kSecond * 1'000'000 + microseconds}};
}

Collection example_collection() {
  Collection collection;
  collection.id = id_of<CollectionId>('c');
  collection.name = "shop";
  collection.created = example_time(0);
  collection.machines = {{id_of<MachineId>('a'), "db"}, {id_of<MachineId>('b'), "web"}};
  return collection;
}

service::CollectionView example_collection_view() {
  service::CollectionView view;
  view.collection = example_collection();
  view.machines = {member(machine('a', "db", PowerState::kRunning)), {{id_of<MachineId>('b'), "web"}, std::nullopt}};
  view.all_machines = view.machines;
  view.contained_in = {"site"};
  view.snapshots = 2;
  return view;
}

service::CollectionView example_nested_view() {
  service::CollectionView view;
  view.collection.id = id_of<CollectionId>('d');
  view.collection.name = "site";
  view.collection.kind = CollectionKind::kCollections;
  view.collection.created = example_time(1);
  view.collection.collections = {id_of<CollectionId>('c')};
  view.collections = {example_collection()};
  view.all_machines = example_collection_view().machines;
  return view;
}

std::vector<MachineSummary> example_machines() {
  return {machine('a', "db", PowerState::kRunning), machine('f', "Büro Nr. 1", PowerState::kOff)};
}

service::HostReport example_host() {
  service::HostReport report;
  report.host = {"qemu:///system", "QEMU", "7.2.22", "9.0.0", "host1", true, true};
  report.items = {{"libvirt", service::Finding::kGood, "libvirt 9.0.0 answers."},
                  {"free_space:/vm", service::Finding::kWarning, "Only 1.0 GiB are free in /vm: make room."}};
  return report;
}

service::DoctorReport example_doctor() {
  return {{{"paused_machine:db", service::AilmentKind::kPausedMachine, "The machine \"db\" stands still.",
            "Lets it run.", true}},
          {"The file \"/vm/web.cohort-1a2b3c4d.qcow2\" was removed."}};
}

Snapshot example_snapshot() {
  Snapshot snapshot = example_planned_snapshot();
  snapshot.id = id_of<SnapshotId>('5');
  snapshot.name = "before-upgrade";
  snapshot.state = SnapshotState::kReady;
  snapshot.is_current = true;
  snapshot.instant = example_time(4000);
  snapshot.fence.raised = Microseconds{20'100};
  snapshot.fence.overlap_begin = example_time(4000);
  snapshot.fence.overlap_end = example_time(16'300);
  snapshot.members[0].pause = Pause{example_time(1000), example_time(19'200)};
  snapshot.members[1].pause = Pause{example_time(4000), example_time(16'300)};
  snapshot.members[0].consistency.frozen = Microseconds{140'000};
  return snapshot;
}

Snapshot example_planned_snapshot() {
  Snapshot snapshot;
  snapshot.collection = id_of<CollectionId>('c');
  snapshot.collection_name = "shop";
  snapshot.fence.deadline = Milliseconds{2000};
  snapshot.members = {member_snapshot('a', "db", PowerState::kRunning),
                      member_snapshot('b', "web", PowerState::kRunning),
                      member_snapshot('f', "Büro Nr. 1", PowerState::kOff)};
  snapshot.kind = SnapshotKind::kStandard;
  snapshot.members[0].memory = MemorySnapshot{"/vm/db.cohort-00000000.mem", 2 * kGiB};
  snapshot.asked = ConsistencyWish::kBest;
  snapshot.fence.freeze_deadline = Milliseconds{10'000};
  snapshot.members[0].consistency.level = Consistency::kApplication;
  snapshot.members[1].consistency.reason = "The guest agent of the machine \"web\" does not answer: is it running?";
  snapshot.members[2].consistency.level = Consistency::kOff;
  snapshot.members[0].left_out = {{"sda", LeftOutReason::kCdrom, "/iso/debian.iso"}};
  snapshot.members[2].has_nvram = true;
  return snapshot;
}

Snapshot example_reference_point() {
  Snapshot snapshot = example_snapshot();
  snapshot.name = "monday";
  snapshot.kind = SnapshotKind::kReferencePoint;
  snapshot.reference_point = id_of<ReferencePointId>('7');
  for (auto& member : snapshot.members) {
    for (auto& disk : member.disks) disk.tracking_id = id_of<TrackingId>('8');
  }
  return snapshot;
}

service::DeletedSnapshot example_deleted() {
  return {id_of<SnapshotId>('5').str(),      "before-upgrade",
          {"/vm/web.cohort-00000000.qcow2"}, false,
          SnapshotKind::kStandard,           {{"before-upgrade", {"one", "two"}, 300'000'000, {}}},
          {"monday (deleted, 00000000)"}};
}

std::vector<service::PlannedMerge> example_merges() {
  return {{"db", "vda", "/vm/db.cohort-00000000.qcow2", "/vm/db.qcow2", false, false},
          {"web", "vda", "/vm/web.cohort-00000000.qcow2", "/vm/web.qcow2", true, true},
          {"cache", "vda", "/vm/cache.cohort-00000000.qcow2", "/vm/cache.qcow2", false, true, true}};
}

service::ExportPlan example_export_plan() {
  return {"/backup/shop",
          {{0, 0, "db", "vda", "Virtual Hard Disks/db-vda.qcow2", 2 * kGiB, 300'000'000}},
          300'100'000,
          50 * kGiB,
          {}};
}

service::ExportReport example_export_report() {
  return {"/backup/shop",
          example_snapshot(),
          5,
          300'000'000,
          290'000'000,
          {},
          {{"shop (deleted, 0c6d4b1e)", {}, 1'000'000, "The machine \"db\" has the disk vdb no more."}},
          parent(),
          true,
          {},
          {{"db", "vda", 300'000, true, ""}, {"web", "vda", 299'700'000, false, "The base has no such disk."}}};
}

package::VerifyReport example_verify_report() {
  package::VerifyReport report;
  report.package = "/backup/shop";
  report.manifest = manifest();
  report.parents = {{"/backup/shop-monday", parent().snapshot, parent().snapshot_name, parent().instant}};
  report.notes = {{"notes.txt", package::ProblemKind::kUnlisted, "It is not in the manifest."}};
  report.files = 4;
  report.bytes = 300'001'234;
  return report;
}

package::VerifyReport example_broken_report() {
  package::VerifyReport report = example_verify_report();
  report.problems = {
      {"Virtual Hard Disks/db-vda.qcow2", package::ProblemKind::kWrongHash, "Expected SHA-256 2222…, found 3333…."}};
  return report;
}

std::vector<service::StoredPackage> example_packages() {
  return {{"/backup/shop", manifest(), example_verify_report().parents, {4, 300'000'000, 290'000'000}, ""},
          {"/backup/shop-friday.partial", {}, {}, {}, "It is being written, or was left half written."}};
}

service::PrunePlan example_prune_plan() {
  using service::PackageFate;
  const auto stored = [](const Path& package) {
    return service::StoredPackage{package, manifest(), {}, {4, 300'000'000, 290'000'000}, ""};
  };
  return {"/backup",
          {{stored("/backup/shop-monday"), PackageFate::kRemoved, {}, "", 0},
           {stored("/backup/shop-tuesday"), PackageFate::kMerged, {RetentionRule::kDaily}, "", 404'000'000},
           {stored("/backup/shop"), PackageFate::kKept, {RetentionRule::kLast, RetentionRule::kDaily}, "", 0},
           {example_packages()[1], PackageFate::kLeft, {}, example_packages()[1].problem, 0}}};
}

service::MergeReport example_merge_report() {
  service::MergePlan plan{"/backup/shop",
                          "/backup/shop-alone",
                          example_verify_report().parents,
                          {{"db", "vda", "Virtual Hard Disks/db-vda.qcow2", true, 2 * kGiB, 400'000'000}},
                          404'000'000,
                          50 * kGiB};
  package::Manifest made = manifest();
  made.parent.reset();
  made.machines[0].disks[0].parent.reset();
  return {std::move(plan), std::move(made), 4, 380'000'000, 370'000'000};
}

service::ImportPlan example_import_plan() { return {{imported(true)}, "/vm", 300'000'000, 50 * kGiB}; }

service::ImportReport example_import_report() { return {{imported(false)}}; }

service::TryPlan example_try_plan() {
  return {{{"db",
            "try-db",
            {},
            {{"vda", {"/backup/shop/Virtual Hard Disks/db-vda.qcow2", "qcow2"}}},
            {{"vdx", LeftOutReason::kNotAFile, "/dev/vg/db"}},
            {},
            {},
            {}}},
          "/var/lib/cohort/tries",
          50 * kGiB,
          service::TryNetwork::kNone};
}

service::TryReport example_try_report() {
  service::TriedMachine db = example_try_plan().machines[0];
  db.id = id_of<MachineId>('e');
  db.console = "/var/lib/cohort/tries/x/try-db-serial0.log";
  db.agent_after = Milliseconds(4200);
  service::TriedMachine office;
  office.original_name = "Büro Nr. 1";
  office.name = "try-Büro Nr. 1";
  office.id = id_of<MachineId>('f');
  office.end = service::MachineEnd::kShutDown;
  return {{db, office}, service::TryNetwork::kIsolated, Milliseconds(60'000)};
}

Job example_job() {
  Job job;
  job.id = id_of<JobId>('9');
  job.type = JobType::kExport;
  job.subject = "before-upgrade";
  job.state = JobState::kRunning;
  job.pid = 1;  // always there
  job.progress = {"copying disks", 150'000'000, 300'000'000};
  job.created = example_time(0);
  job.started = example_time(1);
  job.owner = "ann";
  job.works_on = {id_of<CollectionId>('1'), "00000000-0000-4000-8000-000000000002"};
  return job;
}

Job example_failed_job() {
  Job job = example_job();
  job.state = JobState::kFailed;
  job.ended = example_time(2'000'000);
  job.error = Error{ErrorCode::kNoSpace, "The folder /backup is full.", "No space left on device", {"copying vda"}};
  return job;
}

Job example_completed_job() {
  Job job = example_job();
  job.state = JobState::kCompleted;
  job.progress.done_bytes = job.progress.total_bytes;
  job.ended = example_time(2'000'000);
  job.result = "/backup/shop";
  return job;
}

}  // namespace cohort::cli
