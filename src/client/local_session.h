// A session in this process: the only place that puts the layers together.
#pragma once

#include <memory>
#include <optional>

#include "client/disk_copier.h"
#include "client/session.h"
#include "service/operations.h"
#include "store/sqlite_store.h"

namespace cohort::client {

// What a program has opened already, and goes on to use beside its sessions. All outlive these.
struct SharedParts {
  std::string uri;
  service::StateStore& state;  // open for writing, recovery done
  service::Hypervisor& hypervisor;
  service::Operations& operations;
};

class LocalSession final : public Session {
 public:
  explicit LocalSession(const SessionOptions& options);
  // Every call fails with kInvalidArgument if the options name another hypervisor.
  LocalSession(const SessionOptions& options, const SharedParts& shared);
  ~LocalSession() override;

  [[nodiscard]] RecoveryReport recovery() const override { return recovery_; }

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
                                               const JobWatch& watch) override;
  [[nodiscard]] Result<std::vector<Snapshot>> snapshots(const std::string& collection) override;
  [[nodiscard]] Result<Snapshot> snapshot(const std::string& snapshot) override;
  [[nodiscard]] Result<service::ApplyPlan> plan_apply(const service::ApplyRequest& request) override;
  [[nodiscard]] Result<service::AppliedSnapshot> apply_snapshot(const service::ApplyRequest& request,
                                                                const JobWatch& watch) override;
  [[nodiscard]] Result<std::vector<service::PlannedMerge>> plan_delete_snapshot(
      const service::DeleteSnapshotRequest& request) override;
  [[nodiscard]] Result<service::DeletedSnapshot> delete_snapshot(const service::DeleteSnapshotRequest& request,
                                                                 const JobWatch& watch) override;

  [[nodiscard]] Result<std::vector<Snapshot>> reference_points(const std::string& collection) override;
  [[nodiscard]] Result<Snapshot> reference_point(const std::string& reference_point) override;
  [[nodiscard]] Result<Snapshot> convert_snapshot(const std::string& snapshot, const JobWatch& watch) override;

  [[nodiscard]] Result<service::ExportPlan> plan_export(const service::ExportRequest& request) override;
  [[nodiscard]] Result<service::ExportReport> export_snapshot(const service::ExportRequest& request,
                                                              const JobWatch& watch) override;
  [[nodiscard]] Result<package::VerifyReport> verify(const Path& directory, const package::VerifyOptions& options,
                                                     const JobWatch& watch) override;
  [[nodiscard]] Result<package::VerifyReport> seal(const Path& directory, const package::VerifyOptions& options,
                                                   const JobWatch& watch) override;
  [[nodiscard]] Result<service::ImportPlan> plan_import(const service::ImportRequest& request) override;
  [[nodiscard]] Result<service::ImportReport> import_package(const service::ImportRequest& request,
                                                             const JobWatch& watch) override;
  [[nodiscard]] Result<service::TryPlan> plan_try(const service::TryRequest& request) override;
  [[nodiscard]] Result<service::TryReport> try_package(const service::TryRequest& request, const JobWatch& watch,
                                                       const service::OnRunning& on_running) override;
  [[nodiscard]] Result<std::vector<service::StoredPackage>> packages(const Path& folder) override;
  [[nodiscard]] Result<service::StoredPackage> package(const Path& directory) override;
  [[nodiscard]] Result<service::MergePlan> plan_merge(const service::MergeRequest& request) override;
  [[nodiscard]] Result<service::MergeReport> merge_package(const service::MergeRequest& request,
                                                           const JobWatch& watch) override;
  [[nodiscard]] Result<service::PrunePlan> plan_prune(const service::PruneRequest& request) override;
  [[nodiscard]] Result<service::PrunePlan> prune_packages(const service::PruneRequest& request,
                                                          const JobWatch& watch) override;
  [[nodiscard]] Result<Path> package_at(const Path& folder, WallTime time) override;
  [[nodiscard]] Result<service::BackupPlan> plan_backup(const service::BackupRequest& request) override;
  [[nodiscard]] Result<service::ExportReport> backup(const service::BackupRequest& request,
                                                     const JobWatch& watch) override;

  [[nodiscard]] Result<std::vector<Job>> jobs() override;
  [[nodiscard]] Result<Job> job(const std::string& job) override;
  [[nodiscard]] Result<void> cancel_job(const std::string& job) override;

  [[nodiscard]] Result<std::vector<MachineSummary>> machines() override;
  [[nodiscard]] service::HostReport check_host() override;
  [[nodiscard]] Result<service::DoctorReport> doctor(const service::DoctorRequest& request,
                                                     const JobWatch& watch) override;

 private:
  [[nodiscard]] Result<void> check_shared() const;
  // The state that is open for writing; nullptr if none is.
  [[nodiscard]] service::StateStore* written() const;
  [[nodiscard]] Result<service::Hypervisor*> hypervisor();
  // The state for queries. A state that does not exist yet is an empty one.
  [[nodiscard]] Result<service::StateStore*> state();
  // The operations over the state for queries: what would be done can be said, and nothing is changed, not even what
  // a crash has left.
  [[nodiscard]] Result<service::Operations*> planning();
  // The operations over the state with its lock, and the recovery done.
  [[nodiscard]] Result<service::Operations*> working();

  SessionOptions options_;
  std::optional<SharedParts> shared_;
  SystemClock clock_;
  ImageCopier copier_;
  std::unique_ptr<service::Hypervisor> hypervisor_;
  std::unique_ptr<service::StateStore> reading_;
  std::unique_ptr<service::StateStore> writing_;
  std::unique_ptr<service::Operations> planning_;  // over reading_
  std::unique_ptr<service::Operations> working_;   // over writing_
  RecoveryReport recovery_;
};

}  // namespace cohort::client
