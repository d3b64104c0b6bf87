#include "client/local_session.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "client/make_operations.h"
#include "hypervisor/libvirt_hypervisor.h"
#include "service/lookup.h"
#include "service/seal_package.h"
#include "service/verify_package.h"

namespace cohort::client {
namespace {

Path default_state_folder() {
  if (::geteuid() == 0) return "/var/lib/cohort";
  if (const char* folder = std::getenv("XDG_STATE_HOME"); folder != nullptr && *folder == '/') {
    return Path(folder) / "cohort";
  }
  const char* home = std::getenv("HOME");
  return Path(home == nullptr ? "/" : home) / ".local/state/cohort";
}

// Tells the watcher of a verification that no store records, at most four times a second.
class UnrecordedProgress {
 public:
  explicit UnrecordedProgress(const JobWatch& watch, std::string subject) : watch_(watch) {
    job_.id = JobId::generate();
    job_.type = JobType::kVerify;
    job_.subject = std::move(subject);
    job_.state = JobState::kRunning;
    job_.progress.phase = "verifying the package";
  }
  void set_total(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    job_.progress.total_bytes = bytes;
  }
  void add(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    job_.progress.done_bytes += bytes;
    const auto now = std::chrono::steady_clock::now();
    if (!watch_.on_update || now - last_ < Milliseconds(250)) return;
    last_ = now;
    watch_.on_update(job_);
  }

 private:
  const JobWatch& watch_;
  std::mutex mutex_;
  Job job_;
  std::chrono::steady_clock::time_point last_;
};

Result<package::VerifyReport> verify_unrecorded(const Path& directory, const package::VerifyOptions& options,
                                                const JobWatch& watch) {
  UnrecordedProgress progress(watch, directory.string());
  return package::verify(
      directory, watch.stop,
      {[&](std::uint64_t total) { progress.set_total(total); }, [&](std::uint64_t bytes) { progress.add(bytes); }},
      options);
}

using Check = std::function<Result<package::VerifyReport>(service::JobContext& job)>;

// In the history, a package that is not whole is a job that failed; the caller gets the report all the same.
Result<package::VerifyReport> verify_recorded(const Path& directory, const Check& check, service::JobEngine& engine,
                                              const JobWatch& watch) {
  std::optional<package::VerifyReport> report;
  const auto ended =
      engine.run<bool>(JobType::kVerify, directory.string(), watch, [&](service::JobContext& job) -> Result<bool> {
        COHORT_ASSIGN(report, check(job));
        return service::whole_or_error(*report).map([] { return true; });
      });
  if (report) return *std::move(report);
  return Failure{ended.error()};
}

}  // namespace

LocalSession::LocalSession(const SessionOptions& options) : options_(options) {
  options_.state = state_folder(options_);
}

LocalSession::LocalSession(const SessionOptions& options, const SharedParts& shared)
    : options_(options), shared_(shared) {}

LocalSession::~LocalSession() = default;

Result<void> LocalSession::check_shared() const {
  if (options_.uri == shared_->uri) return {};
  return fail(ErrorCode::kInvalidArgument, "The service that has this state works with \"{}\", not with \"{}\".",
              shared_->uri, options_.uri);
}

service::StateStore* LocalSession::written() const { return shared_ ? &shared_->state : writing_.get(); }

Result<service::Hypervisor*> LocalSession::hypervisor() {
  if (shared_) return check_shared().map([this] { return &shared_->hypervisor; });
  if (!hypervisor_) {
    COHORT_ASSIGN(hypervisor_, hypervisor::open_libvirt(options_.uri));
  }
  return hypervisor_.get();
}

Result<service::StateStore*> LocalSession::state() {
  if (shared_) COHORT_TRY(check_shared());
  if (auto* const open = written()) return open;
  if (reading_) return reading_.get();
  COHORT_ASSIGN(reading_, store::open_sqlite_store(options_.state, store::Access::kRead, options_.uri));
  return reading_.get();
}

Result<service::Operations*> LocalSession::planning() {
  if (shared_) return working();
  if (working_) return working_.get();
  if (planning_) return planning_.get();
  COHORT_ASSIGN(auto* const store, state());
  COHORT_ASSIGN(auto* const connected, hypervisor());
  planning_ = make_operations(options_.uri, *store, *connected, copier_, clock_);
  return planning_.get();
}

Result<service::Operations*> LocalSession::working() {
  if (shared_) return check_shared().map([this] { return &shared_->operations; });
  if (working_) return working_.get();
  planning_.reset();
  reading_.reset();
  COHORT_ASSIGN(auto opened, store::open_sqlite_store(options_.state, store::Access::kWrite, options_.uri));
  COHORT_ASSIGN(auto* const connected, hypervisor());
  auto made = make_operations(options_.uri, *opened, *connected, copier_, clock_);
  COHORT_ASSIGN(const auto recovered, recover_all(*opened, *made, clock_));
  recovery_ = {recovered.actions, recovered.failures};
  writing_ = std::move(opened);
  working_ = std::move(made);
  return working_.get();
}

// --- collections ---

Result<Collection> LocalSession::create_collection(const std::string& name, CollectionKind kind,
                                                   const std::vector<std::string>& members) {
  COHORT_ASSIGN(auto* const with, working());
  return with->collections.create(name, kind, members);
}

Result<Collection> LocalSession::rename_collection(const std::string& collection, const std::string& new_name) {
  COHORT_ASSIGN(auto* const with, working());
  return with->collections.rename(collection, new_name);
}

Result<Collection> LocalSession::remove_collection(const std::string& collection) {
  COHORT_ASSIGN(auto* const with, working());
  return with->collections.remove(collection);
}

Result<Collection> LocalSession::add_members(const std::string& collection, const std::vector<std::string>& members) {
  COHORT_ASSIGN(auto* const with, working());
  return with->collections.add_members(collection, members);
}

Result<Collection> LocalSession::remove_members(const std::string& collection,
                                                const std::vector<std::string>& members) {
  COHORT_ASSIGN(auto* const with, working());
  return with->collections.remove_members(collection, members);
}

Result<std::vector<service::CollectionView>> LocalSession::collections() {
  COHORT_ASSIGN(auto* const store, state());
  COHORT_ASSIGN(auto* const connected, hypervisor());
  return service::Collections(*connected, *store, clock_).list();
}

Result<service::CollectionView> LocalSession::collection(const std::string& collection) {
  COHORT_ASSIGN(auto* const store, state());
  COHORT_ASSIGN(auto* const connected, hypervisor());
  return service::Collections(*connected, *store, clock_).show(collection);
}

// --- snapshots ---

Result<Snapshot> LocalSession::plan_take_snapshot(const service::TakeSnapshotRequest& request) {
  COHORT_ASSIGN(auto* const with, planning());
  return with->take_snapshot.plan(request);
}

Result<Snapshot> LocalSession::take_snapshot(const service::TakeSnapshotRequest& request, const JobWatch& watch) {
  COHORT_ASSIGN(auto* const with, working());
  return with->engine.run<Snapshot>(job_type_of(request), request.collection, watch,
                                    [&](service::JobContext& job) { return with->take_snapshot.run(request, job); });
}

Result<std::vector<Snapshot>> LocalSession::snapshots(const std::string& collection) {
  COHORT_ASSIGN(auto* const store, state());
  return service::list_snapshots(*store, collection);
}

Result<Snapshot> LocalSession::snapshot(const std::string& snapshot) {
  COHORT_ASSIGN(auto* const store, state());
  return service::find_snapshot(*store, snapshot);
}

Result<service::ApplyPlan> LocalSession::plan_apply(const service::ApplyRequest& request) {
  COHORT_ASSIGN(auto* const with, planning());
  return with->apply_snapshot.plan(request);
}

Result<service::AppliedSnapshot> LocalSession::apply_snapshot(const service::ApplyRequest& request,
                                                              const JobWatch& watch) {
  COHORT_ASSIGN(auto* const with, working());
  return with->engine.run<service::AppliedSnapshot>(
      JobType::kApplySnapshot, request.snapshot, watch,
      [&](service::JobContext& job) { return with->apply_snapshot.run(request, job); });
}

Result<std::vector<service::PlannedMerge>> LocalSession::plan_delete_snapshot(
    const service::DeleteSnapshotRequest& request) {
  COHORT_ASSIGN(auto* const with, planning());
  return with->delete_snapshot.plan(request);
}

Result<service::DeletedSnapshot> LocalSession::delete_snapshot(const service::DeleteSnapshotRequest& request,
                                                               const JobWatch& watch) {
  COHORT_ASSIGN(auto* const with, working());
  return with->engine.run<service::DeletedSnapshot>(
      job_type_of(request), request.snapshot, watch,
      [&](service::JobContext& job) { return with->delete_snapshot.run(request, job); });
}

Result<std::vector<Snapshot>> LocalSession::reference_points(const std::string& collection) {
  COHORT_ASSIGN(auto* const store, state());
  return service::list_reference_points(*store, collection);
}

Result<Snapshot> LocalSession::reference_point(const std::string& reference_point) {
  COHORT_ASSIGN(auto* const store, state());
  return service::find_reference_point(*store, reference_point);
}

Result<Snapshot> LocalSession::convert_snapshot(const std::string& snapshot, const JobWatch& watch) {
  COHORT_ASSIGN(auto* const with, working());
  return with->engine.run<Snapshot>(JobType::kConvert, snapshot, watch, [&](service::JobContext& job) {
    return service::convert_snapshot(snapshot, *written(), job);
  });
}

// --- packages ---

Result<service::ExportPlan> LocalSession::plan_export(const service::ExportRequest& request) {
  COHORT_ASSIGN(auto* const with, planning());
  return with->export_snapshot.plan(request);
}

Result<service::ExportReport> LocalSession::export_snapshot(const service::ExportRequest& request,
                                                            const JobWatch& watch) {
  COHORT_ASSIGN(auto* const with, working());
  return with->engine.run<service::ExportReport>(
      job_type_of(request), request.snapshot, watch,
      [&](service::JobContext& job) { return with->export_snapshot.run(request, job); });
}

// Needs no hypervisor and no lock: where the state cannot be written now, the verification is done all the same, and is
// not in the history.
Result<package::VerifyReport> LocalSession::verify(const Path& directory, const package::VerifyOptions& options,
                                                   const JobWatch& watch) {
  auto* const open = written();
  if (open == nullptr) {
    planning_.reset();
    reading_.reset();
  }
  auto opened = open != nullptr ? Result<std::unique_ptr<service::StateStore>>(nullptr)
                                : store::open_sqlite_store(options_.state, store::Access::kWrite, options_.uri);
  if (!opened) return verify_unrecorded(directory, options, watch);
  service::StateStore& store = *opened ? **opened : *open;
  service::JobEngine engine(
      store, [](const JobId&, service::JobContext&) { return service::UndoReport{}; }, clock_);
  // A job that cannot even be begun (the state's file system is full) prevents no verification.
  bool has_begun = false;
  const auto check = [&](service::JobContext& job) {
    has_begun = true;
    return service::verify_package(directory, job, options);
  };
  auto report = verify_recorded(directory, check, engine, watch);
  return has_begun ? std::move(report) : verify_unrecorded(directory, options, watch);
}

Result<package::VerifyReport> LocalSession::seal(const Path& directory, const package::VerifyOptions& options,
                                                 const JobWatch& watch) {
  COHORT_ASSIGN(auto* const with, working());
  const auto check = [&](service::JobContext& job) { return service::seal_package(directory, clock_, job, options); };
  return verify_recorded(directory, check, with->engine, watch);
}

Result<service::ImportPlan> LocalSession::plan_import(const service::ImportRequest& request) {
  COHORT_ASSIGN(auto* const with, planning());
  return with->import_package.plan(request);
}

Result<service::ImportReport> LocalSession::import_package(const service::ImportRequest& request,
                                                           const JobWatch& watch) {
  COHORT_ASSIGN(auto* const with, working());
  return with->engine.run<service::ImportReport>(
      JobType::kImport, request.directory.string(), watch,
      [&](service::JobContext& job) { return with->import_package.run(request, job); });
}

Result<service::TryPlan> LocalSession::plan_try(const service::TryRequest& request) {
  COHORT_ASSIGN(auto* const with, planning());
  return with->try_package.plan(request);
}

Result<service::TryReport> LocalSession::try_package(const service::TryRequest& request, const JobWatch& watch,
                                                     const service::OnRunning& on_running) {
  COHORT_ASSIGN(auto* const with, working());
  return with->engine.run<service::TryReport>(
      JobType::kTry, request.directory.string(), watch,
      [&](service::JobContext& job) { return with->try_package.run(request, job, on_running); });
}

Result<std::vector<service::StoredPackage>> LocalSession::packages(const Path& folder) {
  return service::packages_in(folder);
}

Result<service::StoredPackage> LocalSession::package(const Path& directory) {
  return service::stored_package(directory);
}

Result<service::MergePlan> LocalSession::plan_merge(const service::MergeRequest& request) {
  return service::MergePackage(copier_, clock_).plan(request);
}

Result<service::MergeReport> LocalSession::merge_package(const service::MergeRequest& request, const JobWatch& watch) {
  COHORT_ASSIGN(auto* const with, working());
  return with->engine.run<service::MergeReport>(
      JobType::kMergePackage, request.package.string(), watch,
      [&](service::JobContext& job) { return with->merge_package.run(request, job); });
}

Result<service::PrunePlan> LocalSession::plan_prune(const service::PruneRequest& request) {
  return service::PrunePackages(copier_, clock_).plan(request);
}

Result<service::PrunePlan> LocalSession::prune_packages(const service::PruneRequest& request, const JobWatch& watch) {
  COHORT_ASSIGN(auto* const with, working());
  return with->engine.run<service::PrunePlan>(
      JobType::kPrune, request.folder.string(), watch,
      [&](service::JobContext& job) { return with->prune_packages.run(request, job); });
}

Result<Path> LocalSession::package_at(const Path& folder, WallTime time) { return service::package_at(folder, time); }

Result<service::BackupPlan> LocalSession::plan_backup(const service::BackupRequest& request) {
  COHORT_ASSIGN(auto* const with, planning());
  return with->backup.plan(request);
}

Result<service::ExportReport> LocalSession::backup(const service::BackupRequest& request, const JobWatch& watch) {
  COHORT_ASSIGN(auto* const with, working());
  return with->engine.run<service::ExportReport>(
      JobType::kBackup, request.take.collection, watch,
      [&](service::JobContext& job) { return with->backup.run(request, job); });
}

// --- jobs, machines, host ---

Result<std::vector<Job>> LocalSession::jobs() {
  COHORT_ASSIGN(auto* const store, state());
  return store->jobs();
}

Result<Job> LocalSession::job(const std::string& job) {
  COHORT_ASSIGN(auto* const store, state());
  return service::find_job(*store, job);
}

Result<void> LocalSession::cancel_job(const std::string& job) {
  COHORT_ASSIGN(auto* const store, state());
  COHORT_ASSIGN(const auto found, service::find_job(*store, job));
  if (is_ended(found.state)) {
    return fail(ErrorCode::kInvalidState, "The job {} has ended already ({}).", found.id.short_str(),
                to_string(found.state));
  }
  if (found.is_interrupted()) {
    return fail(ErrorCode::kInvalidState,
                "The process of the job {} has ended already. The next command that changes something takes back what "
                "the job had begun.",
                found.id.short_str());
  }
  return store->request_cancel(found.id);
}

Result<std::vector<MachineSummary>> LocalSession::machines() {
  COHORT_ASSIGN(auto* const connected, hypervisor());
  return connected->machines();
}

service::HostReport LocalSession::check_host() {
  const auto connected = hypervisor();
  if (connected) return service::check_host(**connected, options_.state, hypervisor::guard_program());
  service::HostReport report;
  report.host.uri = options_.uri;
  report.items.push_back({"libvirt", service::Finding::kBad, connected.error().describe()});
  return report;
}

Result<service::DoctorReport> LocalSession::doctor(const service::DoctorRequest& request, const JobWatch& watch) {
  if (request.mend.empty()) {
    COHORT_ASSIGN(auto* const store, state());
    COHORT_ASSIGN(auto* const connected, hypervisor());
    return service::Doctor(*connected, *store).examine(request);
  }
  COHORT_ASSIGN(auto* const with, working());
  return with->engine.run<service::DoctorReport>(
      JobType::kMend, request.mend.front(), watch,
      [&](service::JobContext& job) { return with->doctor.mend(request, job); });
}

Path state_folder(const SessionOptions& options) {
  return options.state.empty() ? default_state_folder() : options.state;
}

std::unique_ptr<Session> open_local_session(const SessionOptions& options) {
  return std::make_unique<LocalSession>(options);
}

}  // namespace cohort::client
