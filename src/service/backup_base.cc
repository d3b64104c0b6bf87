#include "service/backup_base.h"

#include <algorithm>
#include <ranges>

#include "package/package_chain.h"
#include "service/stored_packages.h"

namespace cohort::service {
namespace {

namespace fs = std::filesystem;

Result<void> check_can_be_difference(const ExportRequest& target) {
  const bool is_one = target.format == "qcow2" && target.is_hashed && !target.no_storage && !target.subdirectory;
  if (is_one) return {};
  return fail(ErrorCode::kInvalidArgument,
              "An incremental backup is a package in the folder of the others, with hashed disks in qcow2: leave out "
              "--format, --no-hash, --no-storage and --subdirectory.");
}

Result<Path> folder_of(const Path& target) {
  const Path made = fs::absolute(target).lexically_normal();
  const Path parent = (made.has_filename() ? made : made.parent_path()).parent_path();
  std::error_code code;
  Path folder = fs::canonical(parent, code);
  if (!code) return folder;
  return Failure{system_error(code.value(), fmt::format("The folder \"{}\" cannot be looked up.", parent.string()))};
}

bool can_be_base(const StoredPackage& stored, const CollectionId& collection, const std::vector<Snapshot>& all) {
  if (!stored.manifest || !stored.problem.empty() || !stored.manifest->has_storage) return false;
  if (stored.manifest->collection != collection || stored.parents.size() + 2 > package::kMaxPackages) return false;
  const auto snapshot = std::ranges::find(all, stored.manifest->snapshot, &Snapshot::id);
  return snapshot != all.end() && snapshot->state == SnapshotState::kReady;
}

}  // namespace

Result<BackupBase> find_backup_base(const ExportRequest& target, const CollectionId& collection, StateStore& store) {
  COHORT_TRY(check_can_be_difference(target));
  COHORT_ASSIGN(Path folder, folder_of(target.directory));
  COHORT_ASSIGN(const auto stored, packages_in(folder));
  COHORT_ASSIGN(const auto all, store.snapshots());
  for (const auto& each : stored | std::views::reverse) {
    if (can_be_base(each, collection, all)) return BackupBase{std::move(folder), each.package};
  }
  std::string why = fmt::format(
      "No package of the collection in \"{}\" can be the base of a difference: each has to have its snapshot "
      "still, and to stand on less than {} others.",
      folder.string(), package::kMaxPackages - 1);
  return BackupBase{std::move(folder), {}, std::move(why)};
}

std::vector<Snapshot> kept_bases(const std::vector<Snapshot>& all, const Path& folder, const CollectionId& collection) {
  std::vector<Snapshot> kept;
  std::ranges::copy_if(all, std::back_inserter(kept), [&](const Snapshot& snapshot) {
    return snapshot.kept_for == folder && snapshot.collection == collection;
  });
  std::ranges::sort(kept, {}, &Snapshot::instant);
  return kept;
}

}  // namespace cohort::service
