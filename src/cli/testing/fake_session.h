// A session that records what it is asked and answers what the test says.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/session.h"

namespace cohort::cli {

// What the session was asked and what it is to answer; outlives the session, which the program owns.
struct SessionRecord {
  SessionRecord();

  // What it was asked, as "verb" with the request's fields in the member named after it.
  std::vector<std::string> calls;
  struct CollectionCall {
    std::string collection;
    std::string new_name;
    CollectionKind kind = CollectionKind::kMachines;
    std::vector<std::string> members;
  };
  CollectionCall collection_call;
  service::TakeSnapshotRequest take_request;
  service::ApplyRequest apply_request;
  service::DeleteSnapshotRequest delete_request;
  service::ExportRequest export_request;
  service::ImportRequest import_request;
  service::TryRequest try_request;
  service::TryReport try_report;
  service::MergeRequest merge_request;
  service::PruneRequest prune_request;
  WallTime asked_time;
  service::BackupRequest backup_request;
  Path looked_at;  // by the queries of packages
  Path verified;
  package::VerifyOptions verify_options;
  std::string asked_for;  // the name given to queries

  // Every call fails with this if set, or only the one of this name.
  std::optional<Error> failure;
  std::string failing_call;
  // Runs inside every long operation.
  std::function<void(const client::JobWatch&)> on_job;
  client::RecoveryReport recovery_report;
  package::VerifyReport verify_report;
  service::HostReport host_report;
  service::DoctorRequest doctor_request;
  service::DoctorReport doctor_report;
  // job() answers these in turn, the last one over and over.
  std::vector<Job> job_answers;
};

class FakeSession final : public client::Session {
 public:
  // The record must outlive this object.
  explicit FakeSession(SessionRecord& record) : record_(record) {}

  [[nodiscard]] client::RecoveryReport recovery() const override { return record_.recovery_report; }
  [[nodiscard]] Result<Collection> create_collection(const std::string& name, CollectionKind kind,
                                                     const std::vector<std::string>& members) override;
  [[nodiscard]] Result<Collection> rename_collection(const std::string& collection,
                                                     const std::string& new_name) override;
  [[nodiscard]] Result<Collection> remove_collection(const std::string& collection) override;
  [[nodiscard]] Result<Collection> add_members(const std::string& collection,
                                               const std::vector<std::string>& members) override;
  [[nodiscard]] Result<Collection> remove_members(const std::string& collection,
                                                  const std::vector<std::string>& members) override;
  [[nodiscard]] Result<std::vector<service::CollectionView>> collections() override;
  [[nodiscard]] Result<service::CollectionView> collection(const std::string& collection) override;
  [[nodiscard]] Result<Snapshot> plan_take_snapshot(const service::TakeSnapshotRequest& request) override;
  [[nodiscard]] Result<Snapshot> take_snapshot(const service::TakeSnapshotRequest& request,
                                               const client::JobWatch& watch) override;
  [[nodiscard]] Result<std::vector<Snapshot>> snapshots(const std::string& collection) override;
  [[nodiscard]] Result<Snapshot> snapshot(const std::string& snapshot) override;
  [[nodiscard]] Result<service::ApplyPlan> plan_apply(const service::ApplyRequest& request) override;
  [[nodiscard]] Result<service::AppliedSnapshot> apply_snapshot(const service::ApplyRequest& request,
                                                                const client::JobWatch& watch) override;
  [[nodiscard]] Result<std::vector<service::PlannedMerge>> plan_delete_snapshot(
      const service::DeleteSnapshotRequest& request) override;
  [[nodiscard]] Result<service::DeletedSnapshot> delete_snapshot(const service::DeleteSnapshotRequest& request,
                                                                 const client::JobWatch& watch) override;
  [[nodiscard]] Result<std::vector<Snapshot>> reference_points(const std::string& collection) override;
  [[nodiscard]] Result<Snapshot> reference_point(const std::string& reference_point) override;
  [[nodiscard]] Result<Snapshot> convert_snapshot(const std::string& snapshot, const client::JobWatch& watch) override;
  [[nodiscard]] Result<service::ExportPlan> plan_export(const service::ExportRequest& request) override;
  [[nodiscard]] Result<service::ExportReport> export_snapshot(const service::ExportRequest& request,
                                                              const client::JobWatch& watch) override;
  [[nodiscard]] Result<package::VerifyReport> verify(const Path& directory, const package::VerifyOptions& options,
                                                     const client::JobWatch& watch) override;
  [[nodiscard]] Result<package::VerifyReport> seal(const Path& directory, const package::VerifyOptions& options,
                                                   const client::JobWatch& watch) override;
  [[nodiscard]] Result<service::ImportPlan> plan_import(const service::ImportRequest& request) override;
  [[nodiscard]] Result<service::ImportReport> import_package(const service::ImportRequest& request,
                                                             const client::JobWatch& watch) override;
  [[nodiscard]] Result<service::TryPlan> plan_try(const service::TryRequest& request) override;
  [[nodiscard]] Result<service::TryReport> try_package(const service::TryRequest& request,
                                                       const client::JobWatch& watch,
                                                       const service::OnRunning& on_running) override;
  [[nodiscard]] Result<std::vector<service::StoredPackage>> packages(const Path& folder) override;
  [[nodiscard]] Result<service::StoredPackage> package(const Path& directory) override;
  [[nodiscard]] Result<service::MergePlan> plan_merge(const service::MergeRequest& request) override;
  [[nodiscard]] Result<service::MergeReport> merge_package(const service::MergeRequest& request,
                                                           const client::JobWatch& watch) override;
  [[nodiscard]] Result<service::PrunePlan> plan_prune(const service::PruneRequest& request) override;
  [[nodiscard]] Result<service::PrunePlan> prune_packages(const service::PruneRequest& request,
                                                          const client::JobWatch& watch) override;
  [[nodiscard]] Result<Path> package_at(const Path& folder, WallTime time) override;
  [[nodiscard]] Result<service::BackupPlan> plan_backup(const service::BackupRequest& request) override;
  [[nodiscard]] Result<service::ExportReport> backup(const service::BackupRequest& request,
                                                     const client::JobWatch& watch) override;
  [[nodiscard]] Result<std::vector<Job>> jobs() override;
  [[nodiscard]] Result<Job> job(const std::string& job) override;
  [[nodiscard]] Result<void> cancel_job(const std::string& job) override;
  [[nodiscard]] Result<std::vector<MachineSummary>> machines() override;
  [[nodiscard]] service::HostReport check_host() override;
  [[nodiscard]] Result<service::DoctorReport> doctor(const service::DoctorRequest& request,
                                                     const client::JobWatch& watch) override;

 private:
  // Records the call and gives the answer, or the failure.
  template <typename T>
  Result<T> reply(const std::string& call, T answer);
  template <typename T>
  Result<T> reply_to_job(const std::string& call, T answer, const client::JobWatch& watch);

  SessionRecord& record_;
};

}  // namespace cohort::cli
