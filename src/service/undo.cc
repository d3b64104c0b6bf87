#include "service/undo.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "base/kill_point.h"
#include "package/layout.h"
#include "package/seal.h"
#include "service/go_back.h"
#include "service/imported_machine.h"
#include "service/lookup.h"
#include "service/merge_back.h"
#include "service/shared_layers.h"
#include "service/snapshot_tree.h"

namespace cohort::service {
namespace {

std::string names_of(const std::vector<Path>& paths) {
  std::vector<std::string> names;
  names.reserve(paths.size());
  for (const auto& path : paths) names.push_back(path.string());
  return fmt::format("{}", fmt::join(names, ", "));
}

// A job may have died between the record and the deed: what was never there was not removed. A file system that fails
// does not say so.
Result<bool> is_there(const Path& path) {
  std::error_code code;
  const auto status = std::filesystem::symlink_status(path, code);
  if (std::filesystem::status_known(status)) return std::filesystem::exists(status);
  return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be looked at.", path.string()))};
}

Result<std::string> remove_made(const Path& path, std::string_view what, Result<void> (*remove)(const Path&)) {
  COHORT_ASSIGN(const bool is_left, is_there(path));
  if (!is_left) return std::string();
  COHORT_TRY(remove(path));
  return fmt::format("The {} \"{}\" was removed.", what, path.string());
}

Result<std::string> remove_partial(const Path& path) {
  if (!path.string().ends_with(package::kPartialSuffix)) {
    return fail(ErrorCode::kInternal, "\"{}\" is no partial package: it was not removed.", path.string());
  }
  // Where it was exchanged for another, that one stays: what this was is removed when that is durable.
  const std::string& name = path.native();
  COHORT_ASSIGN(const bool has_successor, is_there(name.substr(0, name.size() - package::kPartialSuffix.size())));
  if (has_successor) COHORT_TRY(sync_directory(path.parent_path()));
  return remove_made(path, "partial package", remove_tree);
}

// A package that was taken away since is not there to be mended, and one that is none any more is not ours to mend.
Result<std::string> undo_seal(const Path& package) {
  const auto undone = package::undo_seal(package);
  if (!undone) {
    const Error& error = undone.error();
    if (error.code == ErrorCode::kNotFound) return std::string();
    if (error.code != ErrorCode::kCorrupt && error.code != ErrorCode::kUnsupported) return Failure{error};
    return fmt::format("The package \"{}\", of which a seal was begun, stays as it is: {}", package.string(),
                       error.describe());
  }
  return *undone ? fmt::format("The package \"{}\" is as it was before its seal was begun.", package.string())
                 : std::string();
}

// A folder that somebody has put something into since stays.
Result<std::string> remove_made_folder(const Path& path) {
  std::error_code code;
  const bool was_there = std::filesystem::remove(path, code);
  if (code == std::errc::directory_not_empty || code == std::errc::file_exists) {
    return fmt::format("The folder \"{}\" stays: it is not empty.", path.string());
  }
  if (code) {
    return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be removed.", path.string()))};
  }
  return was_there ? fmt::format("The folder \"{}\" was removed.", path.string()) : std::string();
}

// Nobody has said that these files are not needed; a machine may be defined again and stand on them.
Result<std::string> kept_for(const SnapshotId& id, const std::vector<Path>& left, StateStore& store) {
  COHORT_ASSIGN(const auto snapshot, store.snapshot(id));
  return fmt::format(
      "The {} {} is not forgotten, since overlays of machines that no longer exist, or of disks that they have no "
      "more, are left: {}. Bring them back and run `{}`, or leave the files as they are with --forget-missing.",
      noun_of(snapshot.kind), public_id(snapshot).substr(0, 8), names_of(left), delete_command(snapshot));
}

Result<std::string> abandon(const std::string& uuid, Hypervisor& hypervisor, StateStore& store, JobContext& running) {
  COHORT_ASSIGN(const auto id, SnapshotId::parse(uuid));
  COHORT_ASSIGN(const auto left, abandon_snapshot(id, hypervisor, store, running));
  if (!left.empty()) return kept_for(id, left, store);
  return fmt::format("The snapshot {} was taken back; its machines are on their own disks.", uuid);
}

Result<std::string> finish_merge(Snapshot snapshot, Hypervisor& hypervisor, StateStore& store, JobContext& running) {
  if (snapshot.state != SnapshotState::kDeleting) {
    snapshot.state = SnapshotState::kDeleting;
    COHORT_TRY(store.update_snapshot(snapshot));
  }
  COHORT_ASSIGN(const auto left, merge_back(snapshot, hypervisor, store, running, {}));
  if (!left.empty()) return kept_for(snapshot.id, left, store);
  COHORT_TRY(forget_snapshot(snapshot, hypervisor, store));
  return fmt::format("The deletion of the {} \"{}\" was completed.", noun_of(snapshot.kind), snapshot.name);
}

// As far as the deletion had come: the one of the snapshot, which is merged or left to several branches.
Result<std::string> go_on_deleting(const SnapshotId& id, Hypervisor& hypervisor, StateStore& store,
                                   JobContext& running) {
  auto snapshot = store.snapshot(id);
  if (!snapshot && snapshot.error().code == ErrorCode::kNotFound) return std::string();
  if (!snapshot) return Failure{snapshot.error()};
  COHORT_ASSIGN(const auto all, store.snapshots());
  const bool has_left = snapshot->state == SnapshotState::kShared;
  const bool is_to_leave = snapshot->state == SnapshotState::kReady && !branches_on_files_of(*snapshot, all).empty();
  if (!has_left && !is_to_leave) return finish_merge(*std::move(snapshot), hypervisor, store, running);
  const std::string name = snapshot->name;
  if (is_to_leave) {
    COHORT_ASSIGN(*snapshot, retire(*snapshot, store));
  }
  COHORT_TRY(remove_belongings(*snapshot, hypervisor, store));
  return fmt::format("The deletion of the {} \"{}\" was completed.", noun_of(snapshot->kind), name);
}

// What was shared may be so no more, and nobody else would look before the next deletion. A job that has failed, or was
// cancelled, does not begin with it.
Result<std::string> finish_delete(const std::string& uuid, bool is_recovery, Hypervisor& hypervisor, StateStore& store,
                                  JobContext& running) {
  COHORT_ASSIGN(const auto id, SnapshotId::parse(uuid));
  COHORT_ASSIGN(auto done, go_on_deleting(id, hypervisor, store, running));
  if (!is_recovery) return done;
  COHORT_ASSIGN(const auto freed, merge_freed_layers(hypervisor, store, running, {}));
  for (const auto& name : freed.merged) {
    done += fmt::format("{}The files that \"{}\" had shared were merged.", done.empty() ? "" : " ", name);
  }
  return done;
}

Result<std::string> undo_convert(const std::string& uuid, StateStore& store) {
  COHORT_ASSIGN(const auto id, SnapshotId::parse(uuid));
  auto found = store.snapshot(id);
  if (!found && found.error().code == ErrorCode::kNotFound) return std::string();
  COHORT_ASSIGN(auto snapshot, std::move(found));
  if (!is_reference_point(snapshot)) return std::string();
  make_recovery_snapshot(snapshot);
  COHORT_TRY(store.update_snapshot(snapshot));
  return fmt::format("\"{}\" is a snapshot again.", snapshot.name);
}

Result<std::string> let_members_run(const std::string& uuid, Hypervisor& hypervisor, StateStore& store) {
  COHORT_ASSIGN(const auto id, SnapshotId::parse(uuid));
  COHORT_ASSIGN(const auto snapshot, store.snapshot(id));
  COHORT_TRY(let_run(snapshot, hypervisor));
  return std::string();
}

Result<std::string> put_members_back(const std::string& uuid, Hypervisor& hypervisor, StateStore& store) {
  COHORT_ASSIGN(const auto id, SnapshotId::parse(uuid));
  COHORT_TRY(put_back(id, hypervisor, store));
  return "All machines were put back to where they were before the snapshot was applied.";
}

Result<std::string> remove_overlay(const Path& file, Hypervisor& hypervisor) {
  COHORT_TRY(hypervisor.remove_stray_overlay(file));
  return std::string();
}

Result<std::string> forget(const std::string& uuid, Hypervisor& hypervisor, StateStore& store) {
  COHORT_ASSIGN(const auto id, SnapshotId::parse(uuid));
  const auto snapshot = store.snapshot(id);
  if (!snapshot && snapshot.error().code == ErrorCode::kNotFound) return std::string();
  if (!snapshot) return Failure{snapshot.error()};
  COHORT_TRY(forget_snapshot(*snapshot, hypervisor, store));
  return std::string();
}

Result<std::string> remove_network(const std::string& uuid, Hypervisor& hypervisor) {
  COHORT_ASSIGN(const auto id, NetworkId::parse(uuid));
  COHORT_ASSIGN(const bool was_there, hypervisor.remove_network(id));
  return was_there ? fmt::format("The network {} was removed.", uuid) : std::string();
}

bool defines_a_machine(const UndoStep& step) { return step.kind == UndoKind::kUndefineMachine; }

bool is_below(const std::string& path, const std::string& folder) { return path.starts_with(folder + "/"); }

// Of a machine: the step that undefines it and those of its files, which were recorded right before it.
struct MachineSteps {
  UndoStep definition;
  std::vector<UndoStep> files;  // last first
};

Result<MadeMachine> made_by(const JobId& job, const MachineSteps& steps, const std::set<std::string>& started) {
  COHORT_ASSIGN(const auto id, MachineId::parse(steps.definition.subject));
  MadeMachine made{job, id, {}, started.contains(steps.definition.subject)};
  for (const auto& step : steps.files) {
    if (step.kind == UndoKind::kRemoveFile) made.files.insert(made.files.begin(), step.subject);
  }
  return made;
}

}  // namespace

// One run over the steps of a job.
class Undo::Run {
 public:
  Run(const Undo& undo, const JobId& job, std::vector<UndoStep> steps, JobContext& running)
      : hypervisor_(undo.hypervisor_), store_(undo.store_), job_(job), running_(running), steps_(std::move(steps)) {
    std::ranges::reverse(steps_);
  }

  UndoReport all() {
    const auto starts =
        std::ranges::stable_partition(steps_, [](const UndoStep& step) { return step.kind != UndoKind::kStopMachine; });
    for (const auto& step : starts) started_.insert(step.subject);
    const auto is_of_it = [this](const UndoStep& step) { return is_of_a_machine(step); };
    auto step = steps_.begin();
    while (step != starts.begin()) {
      const auto next = defines_a_machine(*step) ? std::find_if_not(step + 1, starts.begin(), is_of_it) : step + 1;
      if (!defines_a_machine(*step)) {
        take_back(*step);
      } else if (MachineSteps machine{*step, {step + 1, next}}; take_back_machine(machine)) {
        for (const auto& file : machine.files) take_back(file);
      }
      step = next;
    }
    for (const auto& started : starts) {
      if (!failed_.contains(started.subject)) forget(started);
    }
    return std::move(report_);
  }

 private:
  // What was made after them may still be in the folder, or attached to the network.
  [[nodiscard]] bool holds_others(const UndoStep& step) const {
    if (step.kind != UndoKind::kRemoveTree) {
      return step.kind == UndoKind::kRemoveFolder || step.kind == UndoKind::kRemoveNetwork;
    }
    return std::ranges::any_of(steps_, [&](const UndoStep& each) { return is_below(each.subject, step.subject); });
  }

  // Made for one machine: it goes, or stays, with it.
  [[nodiscard]] bool is_of_a_machine(const UndoStep& step) const {
    return step.kind == UndoKind::kRemoveFile || (step.kind == UndoKind::kRemoveTree && !holds_others(step));
  }

  // What was recorded before goes on where this has come to: it is all that the machines can go back to.
  [[nodiscard]] static bool is_of_going_back(const UndoStep& step) {
    return step.kind == UndoKind::kLetRun || step.kind == UndoKind::kPutBack;
  }

  void take_back(const UndoStep& step) {
    if (is_halted_ || (is_tried_again_ && holds_others(step))) return;
    auto done = act(step);
    kill_point("undo.after_step");
    if (!done) {
      report_.failures.push_back(done.error().describe());
      is_tried_again_ = true;
      is_halted_ = is_of_going_back(step);
      return;
    }
    forget(step);
    if (!done->empty()) report_.actions.push_back(*std::move(done));
  }

  // True if the machine is gone, and its files can go, too.
  bool take_back_machine(const MachineSteps& machine) {
    const auto made = made_by(job_, machine, started_);
    auto done = made ? remove_machine(*made, hypervisor_) : Result<std::string>{Failure{made.error()}};
    kill_point("undo.after_step");
    if (done) {
      forget(machine.definition);
      if (!done->empty()) report_.actions.push_back(*std::move(done));
      return true;
    }
    if (done.error().code == ErrorCode::kInvalidState) {
      give_up(machine, done.error());
    } else {
      report_.failures.push_back(done.error().describe());
      failed_.insert(machine.definition.subject);
      is_tried_again_ = true;
    }
    return false;
  }

  // It is its user's now, and so are its files. The step of the machine is forgotten last: without it, the files would
  // be removed.
  void give_up(const MachineSteps& machine, const Error& reason) {
    std::vector<Path> left;
    for (const auto& step : machine.files) {
      if (is_there(step.subject).value_or(true)) left.emplace_back(step.subject);
      forget(step);
      kill_point("undo.after_step");
    }
    forget(machine.definition);
    report_.failures.push_back(fmt::format(
        "{} It stays as it is, and so does what the job made for it ({}): remove what nobody needs by hand.",
        reason.describe(), left.empty() ? "nothing" : names_of(left)));
    std::ranges::move(left, std::back_inserter(given_up_));
  }

  Result<std::string> remove_made_tree(const std::string& folder) {
    const auto is_in_it = [&](const Path& path) { return is_below(path.string(), folder); };
    if (std::ranges::any_of(given_up_, is_in_it)) return remove_made_folder(folder);
    return remove_made(folder, "folder", remove_tree);
  }

  void forget(const UndoStep& step) {
    if (const auto forgotten = store_.remove_undo_step(step); !forgotten) {
      report_.failures.push_back(forgotten.error().describe());
    }
  }

  Result<std::string> act(const UndoStep& step) {
    switch (step.kind) {
      case UndoKind::kRemovePartial:
        return remove_partial(step.subject);
      case UndoKind::kRemoveFile:
        return remove_made(step.subject, "file", remove_file);
      case UndoKind::kRemoveFolder:
        return remove_made_folder(step.subject);
      case UndoKind::kRemoveTree:
        return remove_made_tree(step.subject);
      case UndoKind::kUndoSeal:
        return undo_seal(step.subject);
      case UndoKind::kRemoveNetwork:
        return remove_network(step.subject, hypervisor_);
      case UndoKind::kAbandonSnapshot:
        return abandon(step.subject, hypervisor_, store_, running_);
      case UndoKind::kUndoConvert:
        return undo_convert(step.subject, store_);
      case UndoKind::kDeleteSnapshot:
        return finish_delete(step.subject, running_.id() != job_, hypervisor_, store_, running_);
      case UndoKind::kLetRun:
        return let_members_run(step.subject, hypervisor_, store_);
      case UndoKind::kPutBack:
        return put_members_back(step.subject, hypervisor_, store_);
      case UndoKind::kRemoveOverlay:
        return remove_overlay(step.subject, hypervisor_);
      case UndoKind::kForgetSnapshot:
        return service::forget(step.subject, hypervisor_, store_);
      case UndoKind::kUndefineMachine:
      case UndoKind::kStopMachine:
        break;  // taken back together with the files of the machine
    }
    return fail(ErrorCode::kInternal, "An undo step is not known.");
  }

  Hypervisor& hypervisor_;
  StateStore& store_;
  const JobId& job_;
  JobContext& running_;
  std::vector<UndoStep> steps_;    // last first
  std::set<std::string> started_;  // UUIDs
  std::set<std::string> failed_;   // UUIDs of machines that are tried again
  std::vector<Path> given_up_;     // files that are somebody's now
  bool is_tried_again_ = false;    // something stays recorded for the next time
  bool is_halted_ = false;         // so does all that was recorded before it
  UndoReport report_;
};

Undo::Undo(Hypervisor& hypervisor, StateStore& store) : hypervisor_(hypervisor), store_(store) {}

UndoReport Undo::run(const JobId& job, JobContext& running) {
  auto steps = store_.undo_steps(job);
  if (!steps) return {{}, {steps.error().describe()}};
  return Run(*this, job, *std::move(steps), running).all();
}

}  // namespace cohort::service
