// Everything the command line can ask for; in process or, later, over the wire: callers cannot tell.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "package/verify.h"
#include "service/apply_snapshot.h"
#include "service/backup.h"
#include "service/collections.h"
#include "service/convert_snapshot.h"
#include "service/delete_snapshot.h"
#include "service/doctor.h"
#include "service/export_snapshot.h"
#include "service/host_check.h"
#include "service/import_package.h"
#include "service/job_watch.h"
#include "service/merge_package.h"
#include "service/prune_packages.h"
#include "service/stored_packages.h"
#include "service/take_snapshot.h"
#include "service/try_package.h"

namespace cohort::client {

using service::JobWatch;

// What recovery did before the session began its own work; shown to the user.
struct RecoveryReport {
  std::vector<std::string> actions;   // sentences; empty: nothing was open
  std::vector<std::string> failures;  // what could not be taken back, and the remedy
};

// Long operations block until the job has ended; `watch` follows and stops it.
// Collections, snapshots and jobs are named by name, UUID or the first characters (4 or more) of the UUID.
class Session {
 public:
  virtual ~Session() = default;

  // Of the recovery that this session ran when its first changing call came; empty before.
  [[nodiscard]] virtual RecoveryReport recovery() const = 0;

  [[nodiscard]] virtual Result<Collection> create_collection(const std::string& name, CollectionKind kind,
                                                             const std::vector<std::string>& members) = 0;
  [[nodiscard]] virtual Result<Collection> rename_collection(const std::string& collection,
                                                             const std::string& new_name) = 0;
  [[nodiscard]] virtual Result<Collection> remove_collection(const std::string& collection) = 0;
  [[nodiscard]] virtual Result<Collection> add_members(const std::string& collection,
                                                       const std::vector<std::string>& members) = 0;
  [[nodiscard]] virtual Result<Collection> remove_members(const std::string& collection,
                                                          const std::vector<std::string>& members) = 0;
  [[nodiscard]] virtual Result<std::vector<service::CollectionView>> collections() = 0;
  [[nodiscard]] virtual Result<service::CollectionView> collection(const std::string& collection) = 0;

  [[nodiscard]] virtual Result<Snapshot> plan_take_snapshot(const service::TakeSnapshotRequest& request) = 0;
  [[nodiscard]] virtual Result<Snapshot> take_snapshot(const service::TakeSnapshotRequest& request,
                                                       const JobWatch& watch) = 0;
  // Of one collection, or of all when the name is empty; oldest first.
  [[nodiscard]] virtual Result<std::vector<Snapshot>> snapshots(const std::string& collection) = 0;
  [[nodiscard]] virtual Result<Snapshot> snapshot(const std::string& snapshot) = 0;
  [[nodiscard]] virtual Result<service::ApplyPlan> plan_apply(const service::ApplyRequest& request) = 0;
  [[nodiscard]] virtual Result<service::AppliedSnapshot> apply_snapshot(const service::ApplyRequest& request,
                                                                        const JobWatch& watch) = 0;
  [[nodiscard]] virtual Result<std::vector<service::PlannedMerge>> plan_delete_snapshot(
      const service::DeleteSnapshotRequest& request) = 0;
  [[nodiscard]] virtual Result<service::DeletedSnapshot> delete_snapshot(const service::DeleteSnapshotRequest& request,
                                                                         const JobWatch& watch) = 0;

  // One that is none from the beginning is taken (TakeSnapshotRequest::kind), and deleted, as a snapshot is.
  [[nodiscard]] virtual Result<std::vector<Snapshot>> reference_points(const std::string& collection) = 0;
  [[nodiscard]] virtual Result<Snapshot> reference_point(const std::string& reference_point) = 0;
  [[nodiscard]] virtual Result<Snapshot> convert_snapshot(const std::string& snapshot, const JobWatch& watch) = 0;

  [[nodiscard]] virtual Result<service::ExportPlan> plan_export(const service::ExportRequest& request) = 0;
  [[nodiscard]] virtual Result<service::ExportReport> export_snapshot(const service::ExportRequest& request,
                                                                      const JobWatch& watch) = 0;
  [[nodiscard]] virtual Result<package::VerifyReport> verify(const Path& directory,
                                                             const package::VerifyOptions& options,
                                                             const JobWatch& watch) = 0;
  // The same; then, if it only lacks hashes, they are computed (service/seal_package.h).
  [[nodiscard]] virtual Result<package::VerifyReport> seal(const Path& directory, const package::VerifyOptions& options,
                                                           const JobWatch& watch) = 0;
  [[nodiscard]] virtual Result<service::ImportPlan> plan_import(const service::ImportRequest& request) = 0;
  [[nodiscard]] virtual Result<service::ImportReport> import_package(const service::ImportRequest& request,
                                                                     const JobWatch& watch) = 0;
  [[nodiscard]] virtual Result<service::TryPlan> plan_try(const service::TryRequest& request) = 0;
  [[nodiscard]] virtual Result<service::TryReport> try_package(const service::TryRequest& request,
                                                               const JobWatch& watch,
                                                               const service::OnRunning& on_running) = 0;
  [[nodiscard]] virtual Result<std::vector<service::StoredPackage>> packages(const Path& folder) = 0;
  [[nodiscard]] virtual Result<service::StoredPackage> package(const Path& directory) = 0;
  [[nodiscard]] virtual Result<service::MergePlan> plan_merge(const service::MergeRequest& request) = 0;
  [[nodiscard]] virtual Result<service::MergeReport> merge_package(const service::MergeRequest& request,
                                                                   const JobWatch& watch) = 0;
  [[nodiscard]] virtual Result<service::PrunePlan> plan_prune(const service::PruneRequest& request) = 0;
  [[nodiscard]] virtual Result<service::PrunePlan> prune_packages(const service::PruneRequest& request,
                                                                  const JobWatch& watch) = 0;
  // As service::package_at().
  [[nodiscard]] virtual Result<Path> package_at(const Path& folder, WallTime time) = 0;
  [[nodiscard]] virtual Result<service::BackupPlan> plan_backup(const service::BackupRequest& request) = 0;
  [[nodiscard]] virtual Result<service::ExportReport> backup(const service::BackupRequest& request,
                                                             const JobWatch& watch) = 0;

  [[nodiscard]] virtual Result<std::vector<Job>> jobs() = 0;  // newest first
  [[nodiscard]] virtual Result<Job> job(const std::string& job) = 0;
  [[nodiscard]] virtual Result<void> cancel_job(const std::string& job) = 0;

  [[nodiscard]] virtual Result<std::vector<MachineSummary>> machines() = 0;
  [[nodiscard]] virtual service::HostReport check_host() = 0;
  // Looks only, if the request mends nothing.
  [[nodiscard]] virtual Result<service::DoctorReport> doctor(const service::DoctorRequest& request,
                                                             const JobWatch& watch) = 0;
};

struct SessionOptions {
  std::string uri = "qemu:///system";
  Path state;  // empty: /var/lib/cohort as root, else $XDG_STATE_HOME/cohort or ~/.local/state/cohort
};

// The folder of the state that the options mean.
[[nodiscard]] Path state_folder(const SessionOptions& options);

// A session in this process. Nothing is opened before it is needed: the state for reading by queries, with the
// exclusive lock by changes (kInUse names the process that holds it), the hypervisor by what needs it.
[[nodiscard]] std::unique_ptr<Session> open_local_session(const SessionOptions& options);

}  // namespace cohort::client
