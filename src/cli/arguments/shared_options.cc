#include "cli/arguments/shared_options.h"

#include "cli/arguments/values.h"

namespace cohort::cli {

void TakeOptions::declare(Arguments& arguments) {
  arguments.option("--deadline", deadline_ms, "MS",
                   "The longest time any machine may stand still, in milliseconds: 100 to 30000, default: 2000; where "
                   "memory is saved up to 3600000, default: 2000 and twice what saving it is estimated to take.");
  arguments.option(
      "--consistency", consistency, "CONSISTENCY",
      "crash (default): guests are not asked for anything; application: the agents of all running machines "
      "freeze their file systems, hooks included, or there is no snapshot; best: those that can be frozen "
      "are, and it is recorded why others are not.");
  arguments.option("--freeze-deadline", freeze_deadline_ms, "MS",
                   "The longest time freezing all guests may take, in milliseconds: 1000 to 300000; default: 10000. "
                   "Nothing stays frozen longer than both deadlines together.");
  arguments.flag("--ignore-non-snapshottable", ignore_non_snapshottable,
                 "Leave out disks that cannot be snapshotted (pass-through, shareable, ...) instead of refusing.");
}

Result<void> TakeOptions::apply_to(service::TakeSnapshotRequest& request) const {
  if (deadline_ms) request.deadline = Milliseconds(*deadline_ms);
  COHORT_ASSIGN(request.consistency, parse_consistency(consistency));
  request.freeze_deadline = Milliseconds(freeze_deadline_ms);
  request.ignore_non_snapshottable = ignore_non_snapshottable;
  return {};
}

void DeleteOptions::declare(Arguments& arguments) {
  arguments.flag(
      "--forget-missing", forget_missing,
      "Leave the overlay files of machines that no longer exist, and of disks that were detached, where they are, and "
      "go on.");
  arguments.flag("--forget-only", forget_only,
                 "Merge nothing and touch no machine: leave all overlay files where they are.");
}

void DeleteOptions::apply_to(service::DeleteSnapshotRequest& request) const {
  if (forget_missing) request.unmergeable = service::Unmergeable::kForgotten;
  request.forget_only = forget_only;
}

void ExportOptions::declare(Arguments& arguments) {
  arguments.flag("--subdirectory", subdirectory, "Make the package DIR/COLLECTION instead; DIR must exist.");
  arguments.option("--format", format, "FORMAT", "Format of the disks: qcow2 (default) or raw.");
  arguments.flag(
      "--compress", compress,
      "Compress the disks with zstd; qcow2 only. They stay images that QEMU (from 5.1 on) reads as they are.");
  arguments.flag("--no-hash", no_hash,
                 "Do not hash the disks: where DIR can share storage with them, they are not even read. The package "
                 "has to be sealed before it can be used: verify --seal.");
  arguments.flag("--no-storage", no_storage, "Only the configuration, no disks.");
  arguments.option("--rate-limit", rate_limit, "RATE",
                   "Bytes per second for the whole export: 50M, 1.5G, 200MiB/s; default: no limit.");
}

Result<void> ExportOptions::apply_to(service::ExportRequest& request) const {
  if (format != "qcow2" && format != "raw") {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is no format of an export: give qcow2 or raw.", format);
  }
  if (compress && format != "qcow2") {
    return fail(ErrorCode::kInvalidArgument, "Only qcow2 disks can be compressed: give --compress or --format {}.",
                format);
  }
  if (compress && no_hash) {
    return fail(ErrorCode::kInvalidArgument,
                "Disks that are compressed are hashed anyway: give --compress or --no-hash.");
  }
  request.subdirectory = subdirectory;
  request.is_hashed = !no_hash;
  request.is_compressed = compress;
  request.format = format;
  request.no_storage = no_storage;
  if (!rate_limit.empty()) {
    COHORT_ASSIGN(request.rate_limit, parse_rate(rate_limit));
  }
  return {};
}

void KeepOptions::declare(Arguments& arguments) {
  arguments.option("--keep-last", last, "N", "Keep the newest N.");
  arguments.option("--keep-daily", daily, "N", "Keep the newest of each of the last N days that have any.");
  arguments.option("--keep-weekly", weekly, "N", "Keep the newest of each of the last N weeks that have any.");
  arguments.option("--keep-monthly", monthly, "N", "Keep the newest of each of the last N months that have any.");
}

Result<Retention> KeepOptions::retention() const {
  Retention retention;
  COHORT_ASSIGN(retention.last, parse_count("--keep-last", last));
  COHORT_ASSIGN(retention.daily, parse_count("--keep-daily", daily));
  COHORT_ASSIGN(retention.weekly, parse_count("--keep-weekly", weekly));
  COHORT_ASSIGN(retention.monthly, parse_count("--keep-monthly", monthly));
  return retention;
}

void SinceOption::declare(Arguments& arguments) {
  arguments.option("--since", since, "BASE",
                   "Export the difference from this package, or from the package of this reference point or snapshot, "
                   "which is looked for beside the new one.");
  arguments.flag("--merge", is_merged,
                 "Make a full package of the difference and what it stands on: only what has changed is read from the "
                 "machines' disks.");
}

Result<void> SinceOption::apply_to(service::ExportRequest& request) const {
  if (since.empty() && is_merged) {
    return fail(ErrorCode::kInvalidArgument, "There is nothing to merge with: give --since, too.");
  }
  if (since.empty()) return {};
  request.is_merged = is_merged;
  std::error_code ignored;
  if (since.find('/') == std::string::npos && !std::filesystem::is_directory(since, ignored)) {
    request.since_point = since;
    return {};
  }
  COHORT_ASSIGN(request.since, parse_folder(since));
  return {};
}

}  // namespace cohort::cli
