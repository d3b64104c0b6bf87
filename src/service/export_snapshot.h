// Writes a snapshot, or what a reference point holds, to a directory: a package.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "domain/snapshot.h"
#include "package/manifest.h"
#include "service/chosen_disks.h"
#include "service/difference_base.h"
#include "service/job_context.h"
#include "service/ports/disk_copier.h"
#include "service/ports/state_store.h"
#include "service/shared_layers.h"

namespace cohort::service {

struct ExportRequest {
  std::string snapshot;          // name, UUID, or the first characters of the UUID
  Path directory;                // becomes the package; its parent must exist
  bool subdirectory = false;     // the package is <directory>/<collection name> instead; the directory must exist
  std::string format = "qcow2";  // of the disks: "qcow2" or "raw"
  bool no_storage = false;       // configuration only
  std::uint64_t rate_limit = 0;  // bytes per second for the whole export; 0: none
  bool is_compressed = false;    // the clusters of qcow2 disks
  bool is_hashed = true;         // the disks; else the package has to be sealed before it can be used (seal_package.h)
  Path since = {};               // a package: disks that can be are exported as the difference from it; empty: none
  // Instead of `since`: the snapshot or reference point whose package that is; it is looked for (find_package_of).
  std::string since_point = {};
  bool is_reference_point = false;     // `snapshot` names a reference point
  std::vector<ChosenDisk> disks = {};  // only these; empty: all
  // The package stands alone all the same: what has not changed comes from the base's packages, not from the machines.
  bool is_merged = false;
};

[[nodiscard]] inline JobType job_type_of(const ExportRequest& request) {
  return request.is_reference_point ? JobType::kExportReferencePoint : JobType::kExport;
}

struct PlannedDisk {
  std::size_t member = 0;  // index in the snapshot
  std::size_t disk = 0;    // index in the member
  std::string machine;
  std::string target;
  std::string file;  // relative to the package
  std::uint64_t virtual_size = 0;
  std::uint64_t estimated_bytes = 0;  // of its image
  bool is_shared = false;             // with the disk's own files: the image takes nearly no room
  DiskChoice choice = {};
};

struct ExportPlan {
  Path package;
  std::vector<PlannedDisk> disks;
  std::uint64_t estimated_bytes = 0;  // that the package takes of the free ones
  std::uint64_t free_bytes = 0;
  std::optional<package::ParentPackage> parent = {};  // if any disk is a difference
};

struct ExportedDisk {
  std::string machine;
  std::string target;
  std::uint64_t bytes = 0;  // length of its image
  bool is_difference = false;
  std::string whole_because;  // if it was to be a difference and is none
};

struct ExportReport {
  Path package;
  Snapshot snapshot;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;       // sum of the files' lengths
  std::uint64_t disk_bytes = 0;  // what they take on the disk, with what they share with others
  // After a backup: overlay files of machines that vanished before the snapshot was deleted.
  std::vector<Path> left_behind;
  // After an incremental backup: files of older bases that stay. See DeletedSnapshot::shared.
  std::vector<SharedLayers> shared = {};
  std::optional<package::ParentPackage> parent = {};  // if any disk is a difference
  bool is_sealed = true;                              // no disk was exported without a hash
  std::string full_because = {};  // of a backup that was to be incremental, and could stand on nothing
  std::vector<ExportedDisk> disks = {};
  std::optional<package::ParentPackage> merged_from = {};  // the base whose content is in the package
};

// Crash: the package grows as "<package>.partial" and is renamed when all of it is synced; recover() removes the rest.
// So it does with the difference of which a merged package is made, in "<package>.difference.partial".
class ExportSnapshot {
 public:
  ExportSnapshot(StateStore& store, DiskCopier& copier, const Clock& clock);

  // Checks the target, the base (DifferenceBase::open), the space, and that no frozen file was written to after the
  // instant (kCorrupt); changes nothing.
  [[nodiscard]] Result<ExportPlan> plan(const ExportRequest& request);
  // The same for a snapshot that is given; it may not have been taken yet (its disks are then measured as they are).
  [[nodiscard]] Result<ExportPlan> plan(const ExportRequest& request, const Snapshot& snapshot,
                                        const std::stop_token& stop = {});
  // kAlreadyExists if a package is there; kNoSpace before the first byte (as if it were not to be compressed); kCorrupt
  // if a frozen file was written to after the instant, also while it was copied; kCancelled. After a failure nothing is
  // left.
  [[nodiscard]] Result<ExportReport> run(const ExportRequest& request, JobContext& job);

 private:
  [[nodiscard]] Result<ExportReport> write(const ExportRequest& request, JobContext& job);
  [[nodiscard]] Result<ExportReport> write_merged(const ExportRequest& request, const ExportPlan& plan,
                                                  const Snapshot& snapshot, JobContext& job);
  [[nodiscard]] Result<void> check_unwritten_disks(const Snapshot& snapshot);
  [[nodiscard]] Result<void> plan_disk(const ExportRequest& request, const MemberSnapshot& member,
                                       const std::optional<DifferenceBase>& base, PlannedDisk planned,
                                       const std::stop_token& stop, ExportPlan& plan);

  StateStore& store_;
  DiskCopier& copier_;
  const Clock& clock_;
};

}  // namespace cohort::service
