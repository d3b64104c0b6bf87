#include "service/export_target.h"

#include "service/new_package.h"

namespace cohort::service {
namespace {

// A package that replaced a folder with disks in it, or lay within the state, would mix what must stay apart.
Result<void> check_apart_from_disks(const Path& package, const Snapshot& snapshot) {
  for (const auto& member : snapshot.members) {
    for (const auto& disk : member.disks) {
      if (is_inside(disk.frozen.path, package) || is_inside(disk.overlay, package)) {
        return fail(ErrorCode::kAlreadyExists, "\"{}\" is where disk {} of \"{}\" lies: choose another folder.",
                    package.string(), disk.target, member.name);
      }
    }
  }
  return {};
}

}  // namespace

Result<Path> package_folder(const ExportRequest& request, const Snapshot& snapshot) {
  const bool is_inner = request.subdirectory && !request.directory.empty();
  COHORT_ASSIGN(Path package,
                new_package_folder(is_inner ? request.directory / snapshot.collection_name : request.directory));
  COHORT_TRY(check_apart_from_disks(package, snapshot));
  return package;
}

}  // namespace cohort::service
