#include "service/take_snapshot.h"

#include "base/kill_point.h"
#include "base/parallel.h"
#include "service/fence.h"
#include "service/freezing.h"
#include "service/snapshot_plan.h"

namespace cohort::service {
namespace {

Result<void> create_overlays(const MemberSnapshot& member, Hypervisor& hypervisor) {
  for (const auto& disk : member.disks) {
    COHORT_TRY(hypervisor.create_overlay(disk));
    kill_point("take.overlay_created");
  }
  return {};
}

Result<void> create_overlays(const Snapshot& snapshot, Hypervisor& hypervisor) {
  const auto& members = snapshot.members;
  const auto created =
      run_in_parallel(members.size(), [&](std::size_t i) { return create_overlays(members[i], hypervisor); });
  for (const auto& outcome : created) COHORT_TRY(outcome);
  return {};
}

// Durable up to `root`, which is there.
Result<void> keep_file(const Path& root, const Path& path, const std::string& content) {
  COHORT_TRY(make_directories(path.parent_path()));
  COHORT_TRY(create_file(path, content));
  Path folder = path.parent_path();
  for (; folder != root && folder.has_relative_path(); folder = folder.parent_path()) {
    COHORT_TRY(sync_directory(folder));
  }
  return sync_directory(folder);
}

Result<void> keep_state_files(const Path& root, const Path& folder, const MachineStateFiles& files) {
  if (files.nvram) COHORT_TRY(keep_file(root, folder / "nvram", *files.nvram));
  for (const auto& file : files.tpm) COHORT_TRY(keep_file(root, folder / "tpm" / file.name, file.content));
  return {};
}

Result<void> keep_all_state_files(Snapshot& snapshot, const std::vector<MachineStateFiles>& files, StateStore& store) {
  // "<state>", of "<state>/snapshots/<id>".
  const Path root = store.snapshot_folder(snapshot.id).parent_path().parent_path();
  for (std::size_t i = 0; i < files.size(); ++i) {
    auto& member = snapshot.members[i];
    member.has_nvram = files[i].nvram.has_value();
    member.has_tpm = !files[i].tpm.empty();
    COHORT_TRY(keep_state_files(root, store.machine_state_folder(snapshot.id, member.machine), files[i]));
  }
  return {};
}

Result<void> keep_memory(Snapshot& snapshot, Hypervisor& hypervisor) {
  for (auto& member : snapshot.members) {
    if (!member.memory) continue;
    COHORT_ASSIGN(member.memory->bytes, hypervisor.keep_memory(member.memory->file));
  }
  return {};
}

// What became of a machine that is not what it was when the snapshot was planned; empty if it is.
Result<std::string> change_of(const MemberSnapshot& member, Hypervisor& hypervisor) {
  const auto now = hypervisor.machine(member.machine);
  if (!now && now.error().code == ErrorCode::kNotFound) {
    return fmt::format(" The machine \"{}\" does not exist any more.", member.name);
  }
  COHORT_TRY(now);
  const bool has_stopped = now->power == PowerState::kOff && member.power != PowerState::kOff;
  return has_stopped ? fmt::format(" The machine \"{}\" has stopped meanwhile.", member.name) : std::string();
}

// What somebody did to a machine meanwhile says more than the error that it has led to.
Error with_changes(Error error, const Snapshot& snapshot, Hypervisor& hypervisor) {
  if (error.code == ErrorCode::kCancelled) return error;
  for (const auto& member : snapshot.members) {
    if (error.message.find(fmt::format("\"{}\"", member.name)) != std::string::npos) continue;
    const auto change = change_of(member, hypervisor);
    // A hypervisor that cannot be asked would not answer for the others either.
    if (!change) break;
    error.message += *change;
  }
  return error;
}

}  // namespace

TakeSnapshot::TakeSnapshot(Hypervisor& hypervisor, StateStore& store, Guard& guard, const Clock& clock)
    : hypervisor_(hypervisor), store_(store), guard_(guard), clock_(clock) {}

Result<Snapshot> TakeSnapshot::plan(const TakeSnapshotRequest& request) {
  COHORT_ASSIGN(Snapshot snapshot, plan_snapshot(request, hypervisor_, store_, clock_));
  COHORT_TRY(foresee_consistency(snapshot, hypervisor_));
  return snapshot;
}

Result<void> TakeSnapshot::carry_out(Snapshot& snapshot, JobContext& job) {
  COHORT_TRY(store_.add_snapshot(snapshot));
  kill_point("take.planned");
  job.set_phase("preparing overlays");
  COHORT_TRY(create_overlays(snapshot, hypervisor_));
  COHORT_TRY(job.check_cancelled());
  job.set_phase(memory_bytes(snapshot) == 0 ? "taking the snapshot" : "taking the snapshot, saving memory");
  COHORT_ASSIGN(const auto files,
                capture_inside_fence(snapshot, hypervisor_, guard_, clock_, job.stop(),
                                     [this](const Snapshot& intent) { return store_.update_snapshot(intent); }));
  kill_point("take.captured");
  COHORT_TRY(keep_memory(snapshot, hypervisor_));
  COHORT_TRY(keep_all_state_files(snapshot, files, store_));
  snapshot.state = SnapshotState::kReady;
  snapshot.is_current = true;
  COHORT_TRY(store_.update_snapshot(snapshot));
  kill_point("take.ready");
  job.set_result(public_id(snapshot));
  return {};
}

Result<TakenSnapshot> TakeSnapshot::take(const TakeSnapshotRequest& request, JobContext& job) {
  job.set_phase("checking the machines");
  COHORT_ASSIGN(Snapshot snapshot, plan(request));
  job.works_on({snapshot.collection, {}});
  COHORT_ASSIGN(const auto step, job.will_undo(UndoKind::kAbandonSnapshot, snapshot.id.str()));
  auto done = carry_out(snapshot, job);
  if (!done) return Failure{with_changes(std::move(done).error(), snapshot, hypervisor_)};
  return TakenSnapshot{std::move(snapshot), step};
}

Result<Snapshot> TakeSnapshot::run(const TakeSnapshotRequest& request, JobContext& job) {
  COHORT_ASSIGN(auto taken, take(request, job));
  COHORT_TRY(job.check_cancelled());
  // The step is forgotten with the job's good end, both or neither: a job that failed has left no snapshot.
  return std::move(taken.snapshot);
}

}  // namespace cohort::service
