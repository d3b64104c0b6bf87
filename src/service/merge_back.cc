#include "service/merge_back.h"

#include <functional>
#include <map>

#include "base/kill_point.h"
#include "base/parallel.h"
#include "service/freezing.h"
#include "service/frozen_stamps.h"
#include "service/mergeable.h"

namespace cohort::service {
namespace {

constexpr Milliseconds kThawPatience{10'000};

std::uint64_t length_of(const Path& path) { return size_of_file(path).value_or(0); }

// Progress of all merges of a snapshot together, weighed by the overlays' lengths.
class Progress {
 public:
  Progress(const Snapshot& snapshot, JobContext& job) : job_(job) {
    std::uint64_t total = 0;
    for (const auto& member : snapshot.members) {
      for (const auto& disk : member.disks) total += weights_[disk.overlay] = length_of(disk.overlay);
    }
    job.set_done(0);
    job.set_total(total);
  }

  std::function<void(std::uint64_t, std::uint64_t)> of(const Path& overlay) {
    return [this, overlay](std::uint64_t done, std::uint64_t total) {
      const double part = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
      job_.set_done(finished_ + static_cast<std::uint64_t>(part * static_cast<double>(weights_[overlay])));
    };
  }

  void finish(const Path& overlay) {
    finished_ += weights_[overlay];
    job_.set_done(finished_);
  }

 private:
  JobContext& job_;
  std::map<Path, std::uint64_t> weights_;
  std::uint64_t finished_ = 0;
};

// The machine has gone back to another snapshot, and nothing stands on what this one has frozen. A disk of its owner's
// is never removed.
Result<void> remove_frozen(const DiskSnapshot& disk, Hypervisor& hypervisor) {
  if (!is_overlay_name(disk.frozen.path)) return {};
  return hypervisor.remove_stray_overlay(disk.frozen.path);
}

Result<void> merge_disk(const MemberSnapshot& member, const DiskSnapshot& disk, Hypervisor& hypervisor,
                        StateStore& store, const std::stop_token& stop, Progress& progress) {
  if (disk.overlay.empty()) return remove_frozen(disk, hypervisor);
  COHORT_TRY(withdraw_stamps(disk, store));
  const MergeWatch watch{progress.of(disk.overlay),
                         [&](bool merged) { return store.mark_merged(disk.overlay, merged); }};
  auto merged = hypervisor.merge_overlay(member.machine, disk, stop, watch);
  if (!merged) {
    return Failure{std::move(merged).error().with_context(
        fmt::format("merging disk {} of \"{}\" back", disk.target, member.name))};
  }
  progress.finish(disk.overlay);
  kill_point("merge_back.after_merge");
  COHORT_TRY(store.move_frozen(disk.overlay, disk.frozen));
  return renew_stamps(disk, store);
}

// Later disks and members go on after a failure: each one that stands on its own disk again is one less to worry about.
class Merging {
 public:
  Merging(const Snapshot& snapshot, Hypervisor& hypervisor, StateStore& store, JobContext& job,
          const std::stop_token& stop)
      : hypervisor_(hypervisor), store_(store), stop_(stop), progress_(snapshot, job) {}

  void merge(const MemberSnapshot& member) {
    for (const auto& disk : member.disks) {
      note(member, disk, merge_disk(member, disk, hypervisor_, store_, stop_, progress_));
    }
  }

  Result<std::vector<Path>> outcome() && {
    if (first_error_) return Failure{*std::move(first_error_)};
    return std::move(left_);
  }

 private:
  void note(const MemberSnapshot& member, const DiskSnapshot& disk, const Result<void>& merged) {
    if (merged) return;
    if (is_gone(member, disk, merged.error().code)) {
      left_.push_back(disk.overlay);
    } else if (!first_error_) {
      first_error_ = merged.error();
    }
  }

  [[nodiscard]] bool is_gone(const MemberSnapshot& member, const DiskSnapshot& disk, ErrorCode code) {
    // Only if the hypervisor says so; one that cannot be asked says nothing.
    if (code == ErrorCode::kNotFound) return is_missing(member.machine, hypervisor_).value_or(false);
    const bool may_be_detached = code == ErrorCode::kInvalidState && !disk.overlay.empty();
    return may_be_detached && is_detached(member.machine, disk, hypervisor_);
  }

  Hypervisor& hypervisor_;
  StateStore& store_;
  std::stop_token stop_;
  Progress progress_;
  std::vector<Path> left_;
  std::optional<Error> first_error_;
};

// A dead process has left libvirt at it: the machine must not be switched to an overlay that is about to go.
void stop_saving(const Snapshot& snapshot, Hypervisor& hypervisor) {
  if (snapshot.state != SnapshotState::kCreating) return;
  for (const auto& member : snapshot.members) {
    // Where that cannot be told, the merge says so.
    if (member.memory) static_cast<void>(hypervisor.stop_saving(member.machine));
  }
}

// A fence is up at most from the moment its instant is in the store until the snapshot is ready.
bool may_stand_still(const Snapshot& snapshot) {
  return snapshot.state == SnapshotState::kCreating && snapshot.instant != WallTime{};
}

Result<void> resume_members(const Snapshot& snapshot, Hypervisor& hypervisor) {
  std::vector<const MemberSnapshot*> ran;
  for (const auto& member : snapshot.members) {
    if (member.power == PowerState::kRunning) ran.push_back(&member);
  }
  const auto resumed = run_in_parallel(ran.size(), [&](std::size_t i) { return hypervisor.resume(ran[i]->machine); });
  for (std::size_t i = 0; i < ran.size(); ++i) {
    // Who is gone, or stands still for a reason of its own (kInvalidState), does not wait for us.
    const bool is_ours = !resumed[i] && resumed[i].error().code != ErrorCode::kNotFound &&
                         resumed[i].error().code != ErrorCode::kInvalidState;
    if (is_ours) {
      return Failure{Error(resumed[i].error()).with_context(fmt::format("letting \"{}\" run again", ran[i]->name))};
    }
  }
  return {};
}

}  // namespace

Result<std::vector<Path>> merge_back(const Snapshot& snapshot, Hypervisor& hypervisor, StateStore& store,
                                     JobContext& job, const std::stop_token& stop) {
  job.set_phase("merging overlays back");
  Merging merging(snapshot, hypervisor, store, job, stop);
  for (const auto& member : snapshot.members) {
    if (stop.stop_requested()) return fail(ErrorCode::kCancelled, "The merge was cancelled.");
    merging.merge(member);
  }
  return std::move(merging).outcome();
}

Result<void> thaw_members(Snapshot& snapshot, Hypervisor& hypervisor) {
  std::vector<MemberSnapshot*> frozen;
  for (auto& member : snapshot.members) {
    if (member.consistency.may_be_frozen) frozen.push_back(&member);
  }
  const auto thawed = run_in_parallel(
      frozen.size(), [&](std::size_t i) { return thaw_stubbornly(*frozen[i], hypervisor, kThawPatience); });
  for (std::size_t i = 0; i < frozen.size(); ++i) frozen[i]->consistency.may_be_frozen = !thawed[i];
  for (const auto& outcome : thawed) COHORT_TRY(outcome);
  return {};
}

Result<void> forget_snapshot(const Snapshot& snapshot, Hypervisor& hypervisor, StateStore& store) {
  for (const auto& member : snapshot.members) {
    if (member.memory) COHORT_TRY(hypervisor.remove_memory(member.memory->file));
  }
  COHORT_TRY(remove_tree(store.snapshot_folder(snapshot.id)));
  return store.remove_snapshot(snapshot.id);
}

Result<std::vector<Path>> abandon_snapshot(const SnapshotId& id, Hypervisor& hypervisor, StateStore& store,
                                           JobContext& job) {
  auto found = store.snapshot(id);
  if (!found && found.error().code == ErrorCode::kNotFound) return std::vector<Path>{};
  COHORT_ASSIGN(Snapshot snapshot, std::move(found));
  stop_saving(snapshot, hypervisor);
  const auto resumed = may_stand_still(snapshot) ? resume_members(snapshot, hypervisor) : Result<void>();
  // A guest that cannot be thawed does not keep the others' disks from being merged.
  const auto thawed = thaw_members(snapshot, hypervisor);
  COHORT_TRY(resumed);
  // From here on nobody is resumed, however often the rest has to be tried: members may be paused by their users now.
  // Nor is anybody thawed twice, who may have been frozen by somebody else since.
  snapshot.state = SnapshotState::kDeleting;
  COHORT_TRY(store.update_snapshot(snapshot));
  COHORT_ASSIGN(auto left, merge_back(snapshot, hypervisor, store, job, {}));
  COHORT_TRY(thawed);
  if (left.empty()) COHORT_TRY(forget_snapshot(snapshot, hypervisor, store));
  return left;
}

}  // namespace cohort::service
