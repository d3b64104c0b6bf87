#include "service/export_target.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "package/layout.h"

namespace cohort::service {
namespace {

namespace fs = std::filesystem;

Result<Path> normal_form(const Path& path) {
  std::error_code code;
  Path made = fs::absolute(path, code).lexically_normal();
  if (code) return Failure{system_error(code.value(), fmt::format("\"{}\" is no path.", path.string()))};
  return made.has_filename() ? made : made.parent_path();  // without a '/' at the end
}

Result<void> check_parent(const Path& parent) {
  std::error_code code;
  const auto status = fs::status(parent, code);
  if (!fs::exists(status)) {
    return fail(ErrorCode::kNotFound, "The folder \"{}\" does not exist: make it first, or mount what belongs there.",
                parent.string());
  }
  if (!fs::is_directory(status)) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is not a folder.", parent.string());
  }
  if (::access(parent.c_str(), W_OK | X_OK) != 0) {
    return Failure{system_error(errno, fmt::format("Nothing can be written to \"{}\".", parent.string()))};
  }
  return {};
}

Result<void> check_free(const Path& package) {
  std::error_code code;
  const auto status = fs::symlink_status(package, code);
  if (!fs::exists(status)) return {};
  if (!fs::is_directory(status)) {
    return fail(ErrorCode::kAlreadyExists, "\"{}\" exists and is not a folder: choose another place.",
                package.string());
  }
  if (fs::exists(package / package::kManifestName, code)) {
    return fail(ErrorCode::kAlreadyExists,
                "\"{}\" holds a package already, and packages are never overwritten: choose another folder.",
                package.string());
  }
  if (!fs::is_empty(package, code) || code) {
    return fail(ErrorCode::kAlreadyExists, "\"{}\" is not empty: choose a new folder, or an empty one.",
                package.string());
  }
  return {};
}

bool is_inside(const Path& inner, const Path& outer) {
  const auto [end, ignored] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end == outer.end();
}

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
  if (request.directory.empty()) return fail(ErrorCode::kInvalidArgument, "The folder for the package has no name.");
  COHORT_ASSIGN(Path package, normal_form(request.directory));
  if (request.subdirectory) package /= snapshot.collection_name;
  COHORT_TRY(check_parent(package.parent_path()));
  COHORT_TRY(check_free(package));
  COHORT_TRY(check_free(package.string() + std::string(package::kPartialSuffix)));
  COHORT_TRY(check_apart_from_disks(package, snapshot));
  return package;
}

}  // namespace cohort::service
