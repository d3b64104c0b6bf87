#include "cli/testing/fake_session.h"

#include <utility>

#include "cli/testing/examples.h"

namespace cohort::cli {

SessionRecord::SessionRecord()
    : try_report(example_try_report()),
      verify_report(example_verify_report()),
      host_report(example_host()),
      doctor_report(example_doctor()),
      job_answers{example_job()} {}

template <typename T>
Result<T> FakeSession::reply(const std::string& call, T answer) {
  record_.calls.push_back(call);
  if (record_.failure && (record_.failing_call.empty() || record_.failing_call == call)) {
    return Failure{*record_.failure};
  }
  return answer;
}

template <typename T>
Result<T> FakeSession::reply_to_job(const std::string& call, T answer, const client::JobWatch& watch) {
  if (record_.on_job) {
    record_.on_job(watch);
  }
  return reply(call, std::move(answer));
}

Result<Collection> FakeSession::create_collection(const std::string& name, CollectionKind kind,
                                                  const std::vector<std::string>& members) {
  record_.collection_call = {name, "", kind, members};
  return reply("create_collection", example_collection());
}

Result<Collection> FakeSession::rename_collection(const std::string& collection, const std::string& new_name) {
  record_.collection_call = {collection, new_name, CollectionKind::kMachines, {}};
  return reply("rename_collection", example_collection());
}

Result<Collection> FakeSession::remove_collection(const std::string& collection) {
  record_.collection_call = {collection, "", CollectionKind::kMachines, {}};
  return reply("remove_collection", example_collection());
}

Result<Collection> FakeSession::add_members(const std::string& collection, const std::vector<std::string>& members) {
  record_.collection_call = {collection, "", CollectionKind::kMachines, members};
  return reply("add_members", example_collection());
}

Result<Collection> FakeSession::remove_members(const std::string& collection, const std::vector<std::string>& members) {
  record_.collection_call = {collection, "", CollectionKind::kMachines, members};
  return reply("remove_members", example_collection());
}

Result<std::vector<service::CollectionView>> FakeSession::collections() {
  return reply("collections", std::vector{example_collection_view(), example_nested_view()});
}

Result<service::CollectionView> FakeSession::collection(const std::string& collection) {
  record_.asked_for = collection;
  return reply("collection", example_collection_view());
}

Result<Snapshot> FakeSession::plan_take_snapshot(const service::TakeSnapshotRequest& request) {
  record_.take_request = request;
  Snapshot plan = example_planned_snapshot();
  plan.kind = request.kind;
  return reply("plan_take_snapshot", plan);
}

Result<Snapshot> FakeSession::take_snapshot(const service::TakeSnapshotRequest& request,
                                            const client::JobWatch& watch) {
  record_.take_request = request;
  const bool is_snapshot = request.kind == SnapshotKind::kRecovery;
  return reply_to_job("take_snapshot", is_snapshot ? example_snapshot() : example_reference_point(), watch);
}

Result<std::vector<Snapshot>> FakeSession::snapshots(const std::string& collection) {
  record_.asked_for = collection;
  return reply("snapshots", std::vector{example_snapshot()});
}

Result<Snapshot> FakeSession::snapshot(const std::string& snapshot) {
  record_.asked_for = snapshot;
  return reply("snapshot", example_snapshot());
}

Result<service::ApplyPlan> FakeSession::plan_apply(const service::ApplyRequest& request) {
  record_.apply_request = request;
  return reply("plan_apply", service::ApplyPlan{example_snapshot(), example_planned_snapshot()});
}

Result<service::AppliedSnapshot> FakeSession::apply_snapshot(const service::ApplyRequest& request,
                                                             const client::JobWatch& watch) {
  record_.apply_request = request;
  return reply_to_job("apply_snapshot", service::AppliedSnapshot{example_snapshot(), example_snapshot()}, watch);
}

Result<std::vector<service::PlannedMerge>> FakeSession::plan_delete_snapshot(
    const service::DeleteSnapshotRequest& request) {
  record_.delete_request = request;
  return reply("plan_delete_snapshot", example_merges());
}

Result<service::DeletedSnapshot> FakeSession::delete_snapshot(const service::DeleteSnapshotRequest& request,
                                                              const client::JobWatch& watch) {
  record_.delete_request = request;
  auto deleted = example_deleted();
  if (request.is_reference_point) deleted.kind = SnapshotKind::kReferencePoint;
  return reply_to_job("delete_snapshot", deleted, watch);
}

Result<std::vector<Snapshot>> FakeSession::reference_points(const std::string& collection) {
  record_.asked_for = collection;
  return reply("reference_points", std::vector{example_reference_point()});
}

Result<Snapshot> FakeSession::reference_point(const std::string& reference_point) {
  record_.asked_for = reference_point;
  return reply("reference_point", example_reference_point());
}

Result<Snapshot> FakeSession::convert_snapshot(const std::string& snapshot, const client::JobWatch& watch) {
  record_.asked_for = snapshot;
  return reply_to_job("convert_snapshot", example_reference_point(), watch);
}

Result<service::ExportPlan> FakeSession::plan_export(const service::ExportRequest& request) {
  record_.export_request = request;
  return reply("plan_export", example_export_plan());
}

Result<service::ExportReport> FakeSession::export_snapshot(const service::ExportRequest& request,
                                                           const client::JobWatch& watch) {
  record_.export_request = request;
  return reply_to_job("export_snapshot", example_export_report(), watch);
}

Result<package::VerifyReport> FakeSession::verify(const Path& directory, const package::VerifyOptions& options,
                                                  const client::JobWatch& watch) {
  record_.verified = directory;
  record_.verify_options = options;
  return reply_to_job("verify", record_.verify_report, watch);
}

Result<package::VerifyReport> FakeSession::seal(const Path& directory, const package::VerifyOptions& options,
                                                const client::JobWatch& watch) {
  record_.verified = directory;
  record_.verify_options = options;
  return reply_to_job("seal", record_.verify_report, watch);
}

Result<service::ImportPlan> FakeSession::plan_import(const service::ImportRequest& request) {
  record_.import_request = request;
  return reply("plan_import", example_import_plan());
}

Result<service::ImportReport> FakeSession::import_package(const service::ImportRequest& request,
                                                          const client::JobWatch& watch) {
  record_.import_request = request;
  return reply_to_job("import_package", example_import_report(), watch);
}

Result<service::TryPlan> FakeSession::plan_try(const service::TryRequest& request) {
  record_.try_request = request;
  return reply("plan_try", example_try_plan());
}

Result<service::TryReport> FakeSession::try_package(const service::TryRequest& request, const client::JobWatch& watch,
                                                    const service::OnRunning& on_running) {
  record_.try_request = request;
  on_running(record_.try_report);
  return reply_to_job("try_package", record_.try_report, watch);
}

Result<std::vector<service::StoredPackage>> FakeSession::packages(const Path& folder) {
  record_.looked_at = folder;
  return reply("packages", example_packages());
}

Result<service::StoredPackage> FakeSession::package(const Path& directory) {
  record_.looked_at = directory;
  return reply("package", example_packages().front());
}

Result<service::MergePlan> FakeSession::plan_merge(const service::MergeRequest& request) {
  record_.merge_request = request;
  return reply("plan_merge", example_merge_report().plan);
}

Result<service::MergeReport> FakeSession::merge_package(const service::MergeRequest& request,
                                                        const client::JobWatch& watch) {
  record_.merge_request = request;
  return reply_to_job("merge_package", example_merge_report(), watch);
}

Result<service::PrunePlan> FakeSession::plan_prune(const service::PruneRequest& request) {
  record_.prune_request = request;
  return reply("plan_prune", example_prune_plan());
}

Result<service::PrunePlan> FakeSession::prune_packages(const service::PruneRequest& request,
                                                       const client::JobWatch& watch) {
  record_.prune_request = request;
  return reply_to_job("prune_packages", example_prune_plan(), watch);
}

Result<Path> FakeSession::package_at(const Path& folder, WallTime time) {
  record_.looked_at = folder;
  record_.asked_time = time;
  return reply("package_at", folder / "monday");
}

Result<service::BackupPlan> FakeSession::plan_backup(const service::BackupRequest& request) {
  record_.backup_request = request;
  return reply("plan_backup",
               service::BackupPlan{example_planned_snapshot(), example_export_plan(), {}, {example_snapshot()}});
}

Result<service::ExportReport> FakeSession::backup(const service::BackupRequest& request,
                                                  const client::JobWatch& watch) {
  record_.backup_request = request;
  return reply_to_job("backup", example_export_report(), watch);
}

Result<std::vector<Job>> FakeSession::jobs() { return reply("jobs", std::vector{example_job(), example_failed_job()}); }

Result<Job> FakeSession::job(const std::string& job) {
  record_.asked_for = job;
  Job answer = record_.job_answers.front();
  if (record_.job_answers.size() > 1) {
    record_.job_answers.erase(record_.job_answers.begin());
  }
  return reply("job", answer);
}

Result<void> FakeSession::cancel_job(const std::string& job) {
  record_.asked_for = job;
  record_.calls.emplace_back("cancel_job");
  if (record_.failure) {
    return Failure{*record_.failure};
  }
  return {};
}

Result<std::vector<MachineSummary>> FakeSession::machines() { return reply("machines", example_machines()); }

service::HostReport FakeSession::check_host() {
  record_.calls.emplace_back("check_host");
  return record_.host_report;
}

Result<service::DoctorReport> FakeSession::doctor(const service::DoctorRequest& request,
                                                  const client::JobWatch& watch) {
  record_.doctor_request = request;
  return reply_to_job("doctor", record_.doctor_report, watch);
}

}  // namespace cohort::cli
