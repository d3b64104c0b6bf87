// Removes the packages of a folder that nobody wants to keep any more, and breaks no chain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/retention.h"
#include "service/merge_package.h"
#include "service/stored_packages.h"

namespace cohort::service {

struct PruneRequest {
  Path folder;
  Retention retention;           // for each collection by itself
  CollectionId collection = {};  // only the packages of this one; nil: of all
  Path newest = {};              // a package that is kept whatever the rules say; empty: none
  // Of a plan: it is not in the folder yet, and is looked at as if it were the newest.
  std::optional<StoredPackage> coming = {};
};

enum class PackageFate {
  kKept,     // stays as it is: a rule keeps it, or a package that is left alone stands on it
  kMerged,   // stays, and stands alone from then on, since what it stood on goes
  kRemoved,  // goes
  kLeft,     // is not judged, and stays: it is no whole point in time (why says what it lacks)
};
[[nodiscard]] std::string_view to_string(PackageFate fate);  // "kept", "merged", "removed", "left"

struct PrunedPackage {
  StoredPackage stored;
  PackageFate fate = PackageFate::kLeft;
  std::vector<RetentionRule> rules = {};  // that keep it
  std::string why = {};                   // a sentence, of what is kept without a rule or left
  std::uint64_t estimated_bytes = 0;      // that a merge may take
};

struct PrunePlan {
  Path folder;
  std::vector<PrunedPackage> packages;  // in the order of packages_in()
};

// A merged package takes the place of the difference in one step, under the same name, and says whose place it has
// taken, so that what stands on the difference stands on it. Whatever is kept can be used at each moment: a package
// goes only when nothing stands on it any more. Packages in other folders that stand on one of these are not seen.
//
// Crash: what was half made or half removed is removed by recover(); the rest is as before, or done. The same call goes
// on.
class PrunePackages {
 public:
  PrunePackages(DiskCopier& copier, const Clock& clock) : copier_(copier), clock_(clock) {}

  // kInvalidArgument if nothing is to be kept; as packages_in(), MergePackage::plan(). Changes nothing.
  [[nodiscard]] Result<PrunePlan> plan(const PruneRequest& request, const std::stop_token& stop = {});
  // The plan that was carried out. After a failure or cancel, what was done by then stays. As MergePackage::run();
  // kUnsupported where the file system cannot exchange two folders in one step.
  [[nodiscard]] Result<PrunePlan> run(const PruneRequest& request, JobContext& job);

 private:
  [[nodiscard]] Result<void> carry_out(const PrunePlan& plan, JobContext& job);

  DiskCopier& copier_;
  const Clock& clock_;
};

}  // namespace cohort::service
