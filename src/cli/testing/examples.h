// One example of everything that the program shows; the golden files hold what becomes of them.
#pragma once

#include <string>
#include <vector>

#include "client/session.h"

namespace cohort::cli {

// 2026-01-31T23:59:59.000000Z and so many microseconds.
[[nodiscard]] WallTime example_time(std::int64_t microseconds);

[[nodiscard]] Collection example_collection();
[[nodiscard]] service::CollectionView example_collection_view();  // a machine is missing
[[nodiscard]] service::CollectionView example_nested_view();
[[nodiscard]] std::vector<MachineSummary> example_machines();
[[nodiscard]] service::HostReport example_host();
[[nodiscard]] service::DoctorReport example_doctor();

[[nodiscard]] Snapshot example_snapshot();  // two machines ran, one was off; proven
[[nodiscard]] Snapshot example_planned_snapshot();
[[nodiscard]] Snapshot example_reference_point();
[[nodiscard]] service::DeletedSnapshot example_deleted();
[[nodiscard]] std::vector<service::PlannedMerge> example_merges();

[[nodiscard]] service::ExportPlan example_export_plan();
[[nodiscard]] service::ExportReport example_export_report();
[[nodiscard]] package::VerifyReport example_verify_report();  // whole, with a note
[[nodiscard]] package::VerifyReport example_broken_report();
[[nodiscard]] std::vector<service::StoredPackage> example_packages();  // a difference, and a half written one
[[nodiscard]] service::MergeReport example_merge_report();
[[nodiscard]] service::PrunePlan example_prune_plan();  // one of each fate
[[nodiscard]] service::ImportPlan example_import_plan();
[[nodiscard]] service::ImportReport example_import_report();
[[nodiscard]] service::TryPlan example_try_plan();
[[nodiscard]] service::TryReport example_try_report();  // one agent answered, one machine shut itself down

[[nodiscard]] Job example_job();  // runs
[[nodiscard]] Job example_failed_job();
[[nodiscard]] Job example_completed_job();

}  // namespace cohort::cli
