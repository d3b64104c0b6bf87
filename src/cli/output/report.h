// What commands say to people: sentences and tables. The counterpart of json.h.
#pragma once

#include <string>
#include <vector>

#include "client/session.h"

namespace cohort::cli {

// With --verbose ids are shown in full, and lists that are usually cut are whole.
enum class Detail { kUsual, kFull };

// "cohort: what failed", its cause, and what was being done (in full only).
[[nodiscard]] std::string report_error(const Error& error, Detail detail);
[[nodiscard]] std::string report_recovery(const client::RecoveryReport& report);

[[nodiscard]] std::string report_collection(const service::CollectionView& view, Detail detail);
[[nodiscard]] std::string report_collections(const std::vector<service::CollectionView>& views, Detail detail);
[[nodiscard]] std::string report_machines(const std::vector<MachineSummary>& machines);
[[nodiscard]] std::string report_host(const service::HostReport& report);
[[nodiscard]] std::string report_doctor(const service::DoctorReport& report);

// Of a snapshot or a reference point.
[[nodiscard]] std::string report_snapshot(const Snapshot& snapshot, Detail detail);
[[nodiscard]] std::string report_snapshots(const std::vector<Snapshot>& snapshots, Detail detail);
[[nodiscard]] std::string report_reference_points(const std::vector<Snapshot>& points, Detail detail);
[[nodiscard]] std::string report_snapshot_plan(const Snapshot& snapshot, Detail detail);
[[nodiscard]] std::string report_apply_plan(const service::ApplyPlan& plan, bool keeps_current);
[[nodiscard]] std::string report_applied(const service::AppliedSnapshot& applied);
[[nodiscard]] std::string report_merges(const service::DeleteSnapshotRequest& request,
                                        const std::vector<service::PlannedMerge>& merges);
// Nothing if no file was.
[[nodiscard]] std::string report_left_behind(const std::vector<Path>& files);
[[nodiscard]] std::string report_shared(const std::vector<service::SharedLayers>& shared);
[[nodiscard]] std::string report_deleted(const service::DeletedSnapshot& deleted);
// "proven: …", "not measured: …".
[[nodiscard]] std::string one_instant(const Snapshot& snapshot);

[[nodiscard]] std::string report_export(const service::ExportReport& report, Detail detail);
[[nodiscard]] std::string report_export_plan(const service::ExportPlan& plan);
[[nodiscard]] std::string report_backup_plan(const service::BackupPlan& plan, Detail detail);
[[nodiscard]] std::string report_verify(const package::VerifyReport& report, Detail detail);
[[nodiscard]] std::string report_packages(const std::vector<service::StoredPackage>& packages);
[[nodiscard]] std::string report_package(const service::StoredPackage& stored);
[[nodiscard]] std::string report_prune(const service::PrunePlan& pruned);
[[nodiscard]] std::string report_prune_plan(const service::PrunePlan& plan);
[[nodiscard]] std::string report_merge(const service::MergeReport& report);
[[nodiscard]] std::string report_merge_plan(const service::MergePlan& plan);
// Pieces that verifications and packages in folders share.
[[nodiscard]] std::string manifest_sheet(const package::Manifest& manifest);
[[nodiscard]] std::string manifest_disks(const package::Manifest& manifest);
[[nodiscard]] std::string needed_and_free(std::uint64_t needed, std::uint64_t free);
[[nodiscard]] std::string report_import(const service::ImportReport& report);
[[nodiscard]] std::string report_import_plan(const service::ImportPlan& plan);
// A sentence for each disk that a machine comes without; a drive for CDs is there all the same.
[[nodiscard]] std::string missing_disks(const std::string& original_name, const std::string& name,
                                        const std::vector<LeftOutDisk>& left_out);

[[nodiscard]] std::string report_try_plan(const service::TryPlan& plan);
// While they run: how to look at them. Without a newline at its end.
[[nodiscard]] std::string report_running(const service::TryReport& report, const std::string& uri);
[[nodiscard]] std::string report_try(const service::TryReport& report);

[[nodiscard]] std::string report_job(const Job& job);
[[nodiscard]] std::string report_jobs(const std::vector<Job>& jobs, Detail detail);

// The id as it is shown in lists.
template <typename IdType>
[[nodiscard]] std::string shown_id(const IdType& id, Detail detail) {
  return detail == Detail::kFull ? id.str() : id.short_str();
}
// "a, b, c".
[[nodiscard]] std::string joined(const std::vector<std::string>& words);

}  // namespace cohort::cli
