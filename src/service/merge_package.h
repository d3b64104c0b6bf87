// Makes one package that stands alone of a difference and all that it stands on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "package/verify.h"
#include "service/job_context.h"
#include "service/ports/disk_copier.h"

namespace cohort::service {

struct MergeRequest {
  Path package;    // a difference
  Path directory;  // becomes the new package; its parent must exist. Empty: the new one takes the place of `package`

  [[nodiscard]] bool is_in_place() const { return directory.empty(); }
};

struct MergedDisk {
  std::string machine;
  std::string target;
  std::string file;                   // relative to the package
  bool is_difference = false;         // was one; else its image is copied as it is
  std::uint64_t virtual_size = 0;     // bytes
  std::uint64_t estimated_bytes = 0;  // that the new image may take
};

struct MergePlan {
  Path source;
  Path package;
  std::vector<package::LowerPackage> parents;  // whose content comes into it, the nearest first; not verified yet
  std::vector<MergedDisk> disks;
  std::uint64_t estimated_bytes = 0;
  std::uint64_t free_bytes = 0;
};

struct MergeReport {
  MergePlan plan;
  package::Manifest manifest;    // of the new package
  std::uint64_t files = 0;       // in it
  std::uint64_t bytes = 0;       // sum of their lengths
  std::uint64_t disk_bytes = 0;  // what they take on the disk, with what they share with others
};

// The machines and their snapshot are not needed. Nothing is changed in the packages that are merged; in place, the new
// one is exchanged for the difference in one step, and what stood on the difference stands on it
// (Manifest::stands_for).
class MergePackage {
 public:
  MergePackage(DiskCopier& copier, const Clock& clock) : copier_(copier), clock_(clock) {}

  // The packages are not verified then. kInvalidState if the package stands alone already; kNotFound, kCorrupt if it is
  // none, or one that it stands on is not there; as new_package_folder(); kInvalidArgument for a target within one of
  // them; kNoSpace.
  [[nodiscard]] Result<MergePlan> plan(const MergeRequest& request, const std::stop_token& stop = {});
  // Verifies all of them first. Each new image has the content hash that the difference had (kCorrupt else). After a
  // failure or cancel nothing is left. Crash: as NewPackage. kUnsupported as Writer::publish().
  [[nodiscard]] Result<MergeReport> run(const MergeRequest& request, JobContext& job);

 private:
  DiskCopier& copier_;
  const Clock& clock_;
};

}  // namespace cohort::service
