// A long operation: durable, with progress, cancellable, with a history.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "domain/ids.h"

namespace cohort {

enum class JobType {
  kTakeSnapshot,
  kDeleteSnapshot,
  kExport,
  kVerify,
  kImport,
  kBackup,
  kRecover,
  kMend,
  kTry,
  kMergePackage,
  kCreateReferencePoint,
  kConvert,
  kDeleteReferencePoint,
  kPrune,
  kApplySnapshot,
  kExportReferencePoint
};
[[nodiscard]] std::string_view to_string(JobType type);  // "take_snapshot", "delete_snapshot", "export", …
[[nodiscard]] Result<JobType> job_type_from(std::string_view name);

enum class JobState { kQueued, kRunning, kCompleted, kFailed, kCancelled };
[[nodiscard]] std::string_view to_string(JobState state);  // "queued", "running", "completed", …
[[nodiscard]] Result<JobState> job_state_from(std::string_view name);

// The life of a job is this table: true if it may go from one state to the other.
[[nodiscard]] bool is_allowed(JobState from, JobState to);
[[nodiscard]] bool is_ended(JobState state);

struct JobProgress {
  std::string phase;  // "copying disks"; for people
  std::uint64_t done_bytes = 0;
  std::uint64_t total_bytes = 0;  // 0: not known, or nothing to count
};

struct Snapshot;

// What a job is about, for programs.
struct WorksOn {
  std::optional<CollectionId> collection;
  std::string point;  // the id under which people know a snapshot or reference point; may be empty

  [[nodiscard]] static WorksOn of(const Snapshot& snapshot);
  bool operator==(const WorksOn&) const = default;
};

struct Job {
  JobId id;
  JobType type = JobType::kRecover;
  std::string subject;  // the collection, snapshot or folder it works on; for people
  JobState state = JobState::kQueued;
  pid_t pid = 0;  // the process that runs it
  JobProgress progress;
  WallTime created;
  std::optional<WallTime> started;
  std::optional<WallTime> ended;
  std::optional<Error> error;  // of kFailed and kCancelled
  std::string result;          // what it made: a snapshot's id, a folder; may be empty
  // The user who asked for it; empty if nobody did (a recovery), or an earlier version recorded it.
  std::string owner{};
  WorksOn works_on{};  // nothing as long as it is not known

  // The job has not ended, and its process has: the next change takes back what it had begun.
  [[nodiscard]] bool is_interrupted() const;
};

}  // namespace cohort
