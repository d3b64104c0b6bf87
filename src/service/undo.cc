#include "service/undo.h"

#include <algorithm>

#include "base/kill_point.h"
#include "package/layout.h"
#include "service/merge_back.h"

namespace cohort::service {
namespace {

std::string names_of(const std::vector<Path>& paths) {
  std::vector<std::string> names;
  names.reserve(paths.size());
  for (const auto& path : paths) names.push_back(path.string());
  return fmt::format("{}", fmt::join(names, ", "));
}

Result<std::string> remove_partial(const Path& path) {
  if (!path.string().ends_with(package::kPartialSuffix)) {
    return fail(ErrorCode::kInternal, "\"{}\" is no partial package: it was not removed.", path.string());
  }
  COHORT_TRY(remove_tree(path));
  return fmt::format("The partial package \"{}\" was removed.", path.string());
}

Result<std::string> remove_made_file(const Path& path) {
  COHORT_TRY(remove_file(path));
  return fmt::format("The file \"{}\" was removed.", path.string());
}

Result<std::string> remove_made_tree(const Path& path) {
  COHORT_TRY(remove_tree(path));
  return fmt::format("The folder \"{}\" was removed.", path.string());
}

// A folder that somebody has put something into since stays.
Result<std::string> remove_made_folder(const Path& path) {
  std::error_code code;
  std::filesystem::remove(path, code);
  return code ? std::string() : fmt::format("The folder \"{}\" was removed.", path.string());
}

Result<std::string> undefine(const std::string& uuid, Hypervisor& hypervisor) {
  COHORT_ASSIGN(const auto id, MachineId::parse(uuid));
  COHORT_TRY(hypervisor.undefine_machine(id));
  return fmt::format("The machine {} was removed.", uuid);
}

// Nobody has said that these files are not needed; a machine may be defined again and stand on them.
std::string kept_for(const SnapshotId& id, const std::vector<Path>& left) {
  return fmt::format(
      "The snapshot {} is not forgotten, since overlays of machines that no longer exist are left: {}. Define the "
      "machines again and run `cohort snapshot delete {}`, or leave the files as they are with --forget-missing.",
      id.short_str(), names_of(left), id.short_str());
}

Result<std::string> abandon(const std::string& uuid, Hypervisor& hypervisor, StateStore& store, JobContext& running) {
  COHORT_ASSIGN(const auto id, SnapshotId::parse(uuid));
  COHORT_ASSIGN(const auto left, abandon_snapshot(id, hypervisor, store, running));
  if (!left.empty()) return kept_for(id, left);
  return fmt::format("The snapshot {} was taken back; its machines are on their own disks.", uuid);
}

Result<std::string> finish_delete(const std::string& uuid, Hypervisor& hypervisor, StateStore& store,
                                  JobContext& running) {
  COHORT_ASSIGN(const auto id, SnapshotId::parse(uuid));
  auto snapshot = store.snapshot(id);
  if (!snapshot && snapshot.error().code == ErrorCode::kNotFound) return std::string();
  if (!snapshot) return Failure{snapshot.error()};
  if (snapshot->state != SnapshotState::kDeleting) {
    snapshot->state = SnapshotState::kDeleting;
    COHORT_TRY(store.update_snapshot(*snapshot));
  }
  COHORT_ASSIGN(const auto left, merge_back(*snapshot, hypervisor, store, running, {}));
  if (!left.empty()) return kept_for(id, left);
  COHORT_TRY(forget_snapshot(id, store));
  return fmt::format("The deletion of the snapshot \"{}\" was completed.", snapshot->name);
}

}  // namespace

Undo::Undo(Hypervisor& hypervisor, StateStore& store) : hypervisor_(hypervisor), store_(store) {}

Result<std::string> Undo::take_back(const UndoStep& step, JobContext& running) {
  switch (step.kind) {
    case UndoKind::kRemovePartial:
      return remove_partial(step.subject);
    case UndoKind::kRemoveFile:
      return remove_made_file(step.subject);
    case UndoKind::kRemoveFolder:
      return remove_made_folder(step.subject);
    case UndoKind::kRemoveTree:
      return remove_made_tree(step.subject);
    case UndoKind::kUndefineMachine:
      return undefine(step.subject, hypervisor_);
    case UndoKind::kAbandonSnapshot:
      return abandon(step.subject, hypervisor_, store_, running);
    case UndoKind::kDeleteSnapshot:
      return finish_delete(step.subject, hypervisor_, store_, running);
  }
  return fail(ErrorCode::kInternal, "An undo step is not known.");
}

UndoReport Undo::run(const JobId& job, JobContext& running) {
  UndoReport report;
  auto steps = store_.undo_steps(job);
  if (!steps) {
    report.failures.push_back(steps.error().describe());
    return report;
  }
  std::ranges::reverse(*steps);
  for (const auto& step : *steps) {
    auto done = take_back(step, running);
    kill_point("undo.after_step");
    if (done) {
      if (const auto forgotten = store_.remove_undo_step(step); !forgotten) {
        report.failures.push_back(forgotten.error().describe());
      }
      if (!done->empty()) report.actions.push_back(*std::move(done));
    } else {
      report.failures.push_back(done.error().describe());
    }
  }
  return report;
}

}  // namespace cohort::service
