#include "service/backup_base.h"

#include <algorithm>
#include <functional>
#include <iterator>

#include "service/base_package.h"
#include "service/new_package.h"
#include "service/stored_packages.h"

namespace cohort::service {
namespace {

namespace fs = std::filesystem;

Result<void> check_can_be_difference(const ExportRequest& target) {
  const bool is_one = target.format == "qcow2" && target.is_hashed && !target.no_storage && !target.subdirectory;
  if (is_one) return {};
  return fail(
      ErrorCode::kInvalidArgument,
      "A backup that others stand on is a package in the folder of the others, with hashed disks in qcow2: leave out "
      "--format, --no-hash, --no-storage and --subdirectory, or make it one of its own with --full.");
}

Result<Path> folder_of(const ExportRequest& target) {
  COHORT_ASSIGN(const Path package, new_package_folder(target.directory));
  if (!can_be_named(package)) {
    return fail(ErrorCode::kInvalidArgument,
                "No later package could name \"{}\": choose a name of UTF-8 without backslash and control characters.",
                package.filename().string());
  }
  std::error_code code;
  Path folder = fs::canonical(package.parent_path(), code);
  if (!code) return folder;
  return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be looked up.", package.string()))};
}

// How many packages it stands on; a sentence why it can be no base, else.
tl::expected<std::size_t, std::string> usable_depth_of(const BaseCandidate& candidate, const std::vector<Snapshot>& all,
                                                       WallTime now) {
  const auto no = [](std::string why) { return tl::unexpected<std::string>(std::move(why)); };
  const auto snapshot = std::ranges::find(all, candidate.manifest.snapshot, &Snapshot::id);
  if (snapshot == all.end() || snapshot->state != SnapshotState::kReady) {
    return no("its snapshot does not exist any more.");
  }
  if (snapshot->instant >= now) return no("its snapshot is later than now, by this host's clock.");
  return depth_of(candidate);
}

}  // namespace

Result<BackupBase> find_backup_base(const ExportRequest& target, const CollectionId& collection, StateStore& store,
                                    WallTime now, const std::stop_token& stop) {
  COHORT_TRY(check_can_be_difference(target));
  BackupBase base;
  COHORT_ASSIGN(base.folder, folder_of(target));
  COHORT_ASSIGN(const auto folders, package_folders_in(base.folder));
  COHORT_ASSIGN(auto candidates, base_candidates(folders, collection, stop));
  std::ranges::sort(candidates, std::greater<>{}, [](const BaseCandidate& each) { return each.manifest.instant; });
  COHORT_ASSIGN(const auto all, store.snapshots());
  base.why = fmt::format("There is no earlier package of the collection in \"{}\".", base.folder.string());
  WallTime instant;
  std::size_t depth = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const BaseCandidate& candidate = candidates[i];
    if (!base.package.empty() && candidate.manifest.instant != instant) break;
    const auto found = usable_depth_of(candidate, all, now);
    if (!found && i == 0) {
      base.why = fmt::format("\"{}\" cannot be the base: {}", candidate.package.filename().string(), found.error());
    }
    if (!found || (!base.package.empty() && depth <= *found)) continue;
    base.package = candidate.package;
    instant = candidate.manifest.instant;
    depth = *found;
  }
  if (!base.package.empty()) base.why.clear();
  return base;
}

std::vector<Snapshot> kept_bases(const std::vector<Snapshot>& all, const Path& folder, const CollectionId& collection) {
  std::vector<Snapshot> kept;
  std::ranges::copy_if(all, std::back_inserter(kept), [&](const Snapshot& snapshot) {
    return snapshot.kept_for == folder && snapshot.collection == collection &&
           snapshot.state != SnapshotState::kCreating;
  });
  std::ranges::sort(kept, {}, &Snapshot::instant);
  return kept;
}

}  // namespace cohort::service
