#include "domain/job.h"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill is POSIX

#include <cerrno>

#include "domain/named_value.h"
#include "domain/snapshot.h"

namespace cohort {
namespace {

constexpr std::array<NamedValue<JobType>, 16> kJobTypes{{
    {JobType::kTakeSnapshot, "take_snapshot"},
    {JobType::kDeleteSnapshot, "delete_snapshot"},
    {JobType::kExport, "export"},
    {JobType::kVerify, "verify"},
    {JobType::kImport, "import"},
    {JobType::kBackup, "backup"},
    {JobType::kRecover, "recover"},
    {JobType::kMend, "mend"},
    {JobType::kTry, "try"},
    {JobType::kMergePackage, "merge_package"},
    {JobType::kCreateReferencePoint, "create_reference_point"},
    {JobType::kConvert, "convert"},
    {JobType::kDeleteReferencePoint, "delete_reference_point"},
    {JobType::kPrune, "prune"},
    {JobType::kApplySnapshot, "apply_snapshot"},
    {JobType::kExportReferencePoint, "export_reference_point"},
}};

constexpr std::array<NamedValue<JobState>, 5> kJobStates{{
    {JobState::kQueued, "queued"},
    {JobState::kRunning, "running"},
    {JobState::kCompleted, "completed"},
    {JobState::kFailed, "failed"},
    {JobState::kCancelled, "cancelled"},
}};

struct Transition {
  JobState from;
  JobState to;
};

constexpr std::array<Transition, 6> kTransitions{{
    {JobState::kQueued, JobState::kRunning},
    {JobState::kQueued, JobState::kCancelled},
    {JobState::kQueued, JobState::kFailed},
    {JobState::kRunning, JobState::kCompleted},
    {JobState::kRunning, JobState::kFailed},
    {JobState::kRunning, JobState::kCancelled},
}};

}  // namespace

std::string_view to_string(JobType type) { return name_of(kJobTypes, type); }
Result<JobType> job_type_from(std::string_view name) { return value_of(kJobTypes, name, "type of job"); }
std::string_view to_string(JobState state) { return name_of(kJobStates, state); }
Result<JobState> job_state_from(std::string_view name) { return value_of(kJobStates, name, "state of a job"); }

bool is_allowed(JobState from, JobState to) {
  return std::ranges::any_of(kTransitions, [&](const Transition& t) { return t.from == from && t.to == to; });
}

bool is_ended(JobState state) {
  return state == JobState::kCompleted || state == JobState::kFailed || state == JobState::kCancelled;
}

WorksOn WorksOn::of(const Snapshot& snapshot) { return {snapshot.collection, public_id(snapshot)}; }

bool Job::is_interrupted() const {
  if (is_ended(state) || pid <= 0) return false;
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

}  // namespace cohort
