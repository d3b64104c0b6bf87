#include "service/apply_snapshot.h"

#include <algorithm>
#include <set>

#include "base/kill_point.h"
#include "base/parallel.h"
#include "service/disk_identity.h"
#include "service/frozen_stamps.h"
#include "service/go_back.h"
#include "service/lookup.h"
#include "service/overlay_names.h"
#include "service/snapshot_tree.h"

namespace cohort::service {
namespace {

Result<void> check_kind(const Snapshot& snapshot) {
  if (snapshot.state != SnapshotState::kReady) {
    return fail(ErrorCode::kInvalidState, "The snapshot \"{}\" is {} and cannot be applied.", snapshot.name,
                to_string(snapshot.state));
  }
  if (snapshot.kind == SnapshotKind::kStandard) return {};
  return fail(ErrorCode::kUnsupported,
              "The snapshot \"{}\" is a recovery snapshot, for backups: only standard ones can be applied. To get its "
              "machines back, export and import it.",
              snapshot.name);
}

std::string names_of(const std::vector<std::string>& names) {
  return fmt::format("\"{}\"", fmt::join(names, "\", \""));
}

// All members go back, or none: a machine that is missing on either side would be at another instant.
Result<void> check_members(const Snapshot& snapshot, StateStore& store) {
  auto found = store.collection(snapshot.collection);
  if (!found && found.error().code == ErrorCode::kNotFound) {
    return fail(ErrorCode::kInvalidState, "The collection \"{}\" of the snapshot \"{}\" does not exist any more.",
                snapshot.collection_name, snapshot.name);
  }
  COHORT_ASSIGN(const Collection collection, std::move(found));
  std::set<MachineId> now;
  std::vector<std::string> added;
  for (const auto& machine : all_machines(collection, lookup_in(store))) {
    now.insert(machine.id);
    if (std::ranges::find(snapshot.members, machine.id, &MemberSnapshot::machine) == snapshot.members.end()) {
      added.push_back(machine.name);
    }
  }
  std::vector<std::string> gone;
  for (const auto& member : snapshot.members) {
    if (!now.contains(member.machine)) gone.push_back(member.name);
  }
  if (added.empty() && gone.empty()) return {};
  return fail(ErrorCode::kInvalidState,
              "The collection \"{}\" has other members than in the snapshot \"{}\": all go back together, or none.{}{} "
              "Take them out with `cohort collection remove`, or add them with `cohort collection add`.",
              collection.name, snapshot.name, added.empty() ? "" : " Added since: " + names_of(added) + ".",
              gone.empty() ? "" : " Gone since: " + names_of(gone) + ".");
}

// A merge that is half done knows of no other branch.
Result<void> check_no_deletion(const Snapshot& snapshot, const std::vector<Snapshot>& all) {
  for (const auto& other : all) {
    const bool has_one_of_them = std::ranges::any_of(other.members, [&](const MemberSnapshot& member) {
      return std::ranges::find(snapshot.members, member.machine, &MemberSnapshot::machine) != snapshot.members.end();
    });
    if (other.state != SnapshotState::kDeleting || !has_one_of_them) continue;
    return fail(ErrorCode::kInvalidState, "The deletion of \"{}\" is not finished: do that first, with `{}`.",
                other.name, delete_command(other));
  }
  return {};
}

// What is current and not kept is thrown away: it must be what a snapshot of ours has made.
Result<void> check_disk(const MemberSnapshot& member, const DiskSnapshot& disk, const MachineDetails& machine,
                        const std::vector<Snapshot>& all) {
  const auto now = std::ranges::find(machine.disks, disk.target, &MachineDisk::target);
  if (now == machine.disks.end()) return {};  // it was detached since; what it holds now is not touched
  const Path& active = now->chain.front().path;
  if (is_overlay_name(active) && is_recorded(all, active)) return {};
  return fail(
      ErrorCode::kInvalidState,
      "The disk {} of \"{}\" is on \"{}\", which is no overlay of a snapshot: somebody has changed it, and it is "
      "not touched. Bring it back to the file that the last snapshot has made, or detach it.",
      disk.target, member.name, active.string());
}

Result<void> check_machine(const Snapshot& snapshot, const MemberSnapshot& member, const std::vector<Snapshot>& all,
                           Hypervisor& hypervisor) {
  COHORT_ASSIGN(const auto machine, hypervisor.inspect(member.machine));
  if (machine.summary.name != member.name) {
    return fail(ErrorCode::kInvalidState,
                "The machine \"{}\" of the snapshot is called \"{}\" now: rename it back (virsh domrename) first.",
                member.name, machine.summary.name);
  }
  for (const auto& disk : member.disks) {
    COHORT_TRY(check_disk(member, disk, machine, all));
    COHORT_TRY(check_unwritten(snapshot, member, disk, all));
  }
  return {};
}

// The snapshot with the overlays that its machines get.
Snapshot with_branch(Snapshot snapshot) {
  OverlayNames names(SnapshotId::generate());
  for (auto& member : snapshot.members) {
    for (auto& disk : member.disks) {
      disk.overlay = names.beside(disk.frozen.path);
      disk.merged = false;
    }
  }
  return snapshot;
}

Result<void> create_overlay(const DiskSnapshot& disk, Hypervisor& hypervisor, JobContext& job) {
  COHORT_TRY(job.will_undo(UndoKind::kRemoveOverlay, disk.overlay.string()));
  COHORT_TRY(hypervisor.create_overlay(disk));
  kill_point("apply.overlay_created");
  return {};
}

Result<void> make_branch(const Snapshot& snapshot, Hypervisor& hypervisor, JobContext& job) {
  for (const auto& member : snapshot.members) {
    for (const auto& disk : member.disks) COHORT_TRY(create_overlay(disk, hypervisor, job));
  }
  return {};
}

// Nothing of them happens any more that would be lost, whatever comes between.
Result<void> make_all_stand_still(const Snapshot& rescue, Hypervisor& hypervisor) {
  std::vector<MachineId> running;
  for (const auto& member : rescue.members) {
    if (member.power == PowerState::kRunning) running.push_back(member.machine);
  }
  const auto done = run_in_parallel(running.size(), [&](std::size_t i) { return hypervisor.suspend(running[i]); });
  for (const auto& outcome : done) COHORT_TRY(outcome);
  return {};
}

Result<void> all_go_back(const Snapshot& snapshot, Hypervisor& hypervisor, StateStore& store) {
  const auto& members = snapshot.members;
  const auto done = run_in_parallel(members.size(),
                                    [&](std::size_t i) { return go_back(members[i], snapshot.id, hypervisor, store); });
  for (const auto& outcome : done) COHORT_TRY(outcome);
  return {};
}

bool is_frozen_for_others(const Path& file, const SnapshotId& but, const std::vector<Snapshot>& all) {
  return std::ranges::any_of(all, [&](const Snapshot& snapshot) {
    return snapshot.id != but && std::ranges::any_of(snapshot.members, [&](const MemberSnapshot& member) {
             return std::ranges::any_of(member.disks,
                                        [&](const DiskSnapshot& disk) { return disk.frozen.path == file; });
           });
  });
}

// What becomes of the store, and what is left to be done, when all members have gone back.
class Settlement {
 public:
  Settlement(const std::vector<Snapshot>& all, const Snapshot& applied, const Snapshot& rescue, bool keeps_rescue)
      : all_(all), applied_(applied), keeps_rescue_(keeps_rescue), changed_(on_line_of(applied, all)) {
    if (!keeps_rescue_) steps_.push_back({0, UndoKind::kForgetSnapshot, rescue.id.str()});
    for (const auto& member : rescue.members) {
      for (const auto& disk : member.disks) give_up(member, disk, rescue.id);
    }
    steps_.push_back({0, UndoKind::kLetRun, applied.id.str()});
    change(applied).arrival = rescue.arrival + 1;
    if (!keeps_rescue_) change(rescue).state = SnapshotState::kDeleting;
  }

  [[nodiscard]] const std::vector<Snapshot>& changed() const { return changed_; }
  // Later ones are carried out first.
  [[nodiscard]] const std::vector<UndoStep>& steps() const { return steps_; }

 private:
  // The overlay has what came after the rescue; what the rescue has frozen goes with it. One stands on the other.
  void give_up(const MemberSnapshot& member, const DiskSnapshot& disk, const SnapshotId& rescue) {
    const Path& frozen = disk.frozen.path;
    const bool goes = !keeps_rescue_ && is_overlay_name(frozen) && has_gone_back(member, disk) &&
                      !is_frozen_for_others(frozen, rescue, all_);
    if (goes) steps_.push_back({0, UndoKind::kRemoveOverlay, frozen.string()});
    steps_.push_back({0, UndoKind::kRemoveOverlay, disk.overlay.string()});
  }

  // One that was attached since is detached now, and keeps what it holds.
  [[nodiscard]] bool has_gone_back(const MemberSnapshot& member, const DiskSnapshot& disk) const {
    const auto found = std::ranges::find(applied_.members, member.machine, &MemberSnapshot::machine);
    if (found == applied_.members.end()) return false;
    const auto then = std::ranges::find(found->disks, disk.target, &DiskSnapshot::target);
    return then != found->disks.end() && !is_another_disk(*then, disk);
  }

  Snapshot& change(const Snapshot& snapshot) {
    const auto found = std::ranges::find(changed_, snapshot.id, &Snapshot::id);
    return found == changed_.end() ? changed_.emplace_back(snapshot) : *found;
  }

  const std::vector<Snapshot>& all_;
  const Snapshot& applied_;
  bool keeps_rescue_;
  std::vector<Snapshot> changed_;
  std::vector<UndoStep> steps_;
};

}  // namespace

ApplySnapshot::ApplySnapshot(TakeSnapshot& take, Undo& undo, Hypervisor& hypervisor, StateStore& store)
    : take_(take), undo_(undo), hypervisor_(hypervisor), store_(store) {}

Result<Snapshot> ApplySnapshot::find(const ApplyRequest& request) {
  COHORT_ASSIGN(Snapshot snapshot, find_snapshot(store_, request.snapshot));
  COHORT_TRY(check_kind(snapshot));
  COHORT_TRY(check_members(snapshot, store_));
  COHORT_ASSIGN(const auto all, store_.snapshots());
  COHORT_TRY(check_no_deletion(snapshot, all));
  for (const auto& member : snapshot.members) COHORT_TRY(check_machine(snapshot, member, all, hypervisor_));
  return snapshot;
}

TakeSnapshotRequest ApplySnapshot::rescue_for(const ApplyRequest& request, const Snapshot& snapshot) {
  TakeSnapshotRequest rescue;
  rescue.collection = snapshot.collection.str();
  rescue.name = request.name;
  rescue.deadline = request.deadline;
  rescue.kind = SnapshotKind::kStandard;
  // What cannot be snapshotted was left out of the snapshot, too, or has been attached since: it is not touched.
  rescue.ignore_non_snapshottable = true;
  return rescue;
}

Result<ApplyPlan> ApplySnapshot::plan(const ApplyRequest& request) {
  COHORT_ASSIGN(Snapshot snapshot, find(request));
  COHORT_ASSIGN(Snapshot rescue, take_.plan(rescue_for(request, snapshot)));
  return ApplyPlan{std::move(snapshot), std::move(rescue)};
}

Result<void> ApplySnapshot::switch_over(const Snapshot& branch, const Snapshot& rescue, JobContext& job) {
  COHORT_TRY(make_branch(branch, hypervisor_, job));
  COHORT_TRY(job.check_cancelled());
  COHORT_TRY(job.will_undo(UndoKind::kLetRun, rescue.id.str()));
  kill_point("apply.prepared");
  COHORT_TRY(make_all_stand_still(rescue, hypervisor_));
  kill_point("apply.all_stand_still");
  COHORT_TRY(job.will_undo(UndoKind::kPutBack, rescue.id.str()));
  kill_point("apply.begun");
  job.set_phase("taking the machines back");
  return all_go_back(branch, hypervisor_, store_);
}

Result<void> ApplySnapshot::settle(const Snapshot& branch, const Snapshot& rescue, bool keeps_rescue, JobContext& job) {
  kill_point("apply.gone_back");
  COHORT_ASSIGN(const auto all, store_.snapshots());
  const Settlement settlement(all, branch, rescue, keeps_rescue);
  COHORT_TRY(store_.settle(job.id(), settlement.changed(), settlement.steps()));
  kill_point("apply.settled");
  job.will_stay();
  const UndoReport done = undo_.run(job.id(), job);
  if (done.failures.empty()) return {};
  return fail(ErrorCode::kInvalidState,
              "All machines have gone back to the snapshot \"{}\", but not all is done yet: {} The next command that "
              "changes something tries it again.",
              branch.name, fmt::join(done.failures, " "));
}

Result<AppliedSnapshot> ApplySnapshot::run(const ApplyRequest& request, JobContext& job) {
  job.set_phase("checking the machines");
  COHORT_ASSIGN(const Snapshot snapshot, find(request));
  job.works_on(WorksOn::of(snapshot));
  COHORT_ASSIGN(TakenSnapshot rescue, take_.take(rescue_for(request, snapshot), job));
  kill_point("apply.rescue_taken");
  // As it is now: taking the rescue has changed nothing of it, but what else was done since it was found is in here.
  COHORT_ASSIGN(const Snapshot found, store_.snapshot(snapshot.id));
  const Snapshot branch = with_branch(found);
  COHORT_TRY(switch_over(branch, rescue.snapshot, job));
  COHORT_TRY(settle(branch, rescue.snapshot, request.keep_current, job));
  job.set_result(snapshot.id.str());
  AppliedSnapshot applied;
  COHORT_ASSIGN(applied.snapshot, store_.snapshot(snapshot.id));
  if (request.keep_current) {
    COHORT_ASSIGN(applied.kept, store_.snapshot(rescue.snapshot.id));
  }
  return applied;
}

}  // namespace cohort::service
