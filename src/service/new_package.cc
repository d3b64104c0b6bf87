#include "service/new_package.h"

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

}  // namespace

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

Result<Path> new_package_folder(const Path& directory) {
  if (directory.empty()) return fail(ErrorCode::kInvalidArgument, "The folder for the package has no name.");
  COHORT_ASSIGN(Path package, normal_form(directory));
  if (package.string().ends_with(package::kPartialSuffix)) {
    return fail(ErrorCode::kInvalidArgument,
                "\"{}\" has a name that only unfinished packages have: choose another one.", package.string());
  }
  COHORT_TRY(check_parent(package.parent_path()));
  COHORT_TRY(check_free(package));
  COHORT_TRY(check_free(package.string() + std::string(package::kPartialSuffix)));
  return package;
}

Result<Path> replaced_package_folder(const Path& package) {
  COHORT_ASSIGN(Path folder, normal_form(package));
  std::error_code code;
  if (!fs::is_directory(fs::symlink_status(folder, code))) {
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is a link, or no folder: it cannot be replaced.", folder.string());
  }
  COHORT_TRY(check_parent(folder.parent_path()));
  COHORT_TRY(check_free(folder.string() + std::string(package::kPartialSuffix)));
  return folder;
}

bool is_inside(const Path& inner, const Path& outer) {
  const auto [end, ignored] = std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end());
  return end == outer.end();
}

Result<void> NewPackage::begin() {
  COHORT_ASSIGN(step_, job_.will_undo(UndoKind::kRemovePartial, writer_.partial().string()));
  auto begun = writer_.begin();
  // What is there already is somebody else's, and not to be removed with ours.
  if (!begun && begun.error().code == ErrorCode::kAlreadyExists) COHORT_TRY(keep());
  return begun;
}

Failure NewPackage::failed(Error error) {
  if (error.code == ErrorCode::kNoSpace) {
    error.message += fmt::format(" The package takes up to {} MiB.", estimated_bytes_ >> 20U);
  }
  const auto in_place = writer_.check_in_place();
  if (in_place) return Failure{std::move(error)};
  const auto removed = abandon();
  if (error.code != ErrorCode::kCancelled) {
    Error gone = in_place.error();
    gone.cause = error.describe();
    error = std::move(gone);
  }
  if (!removed) error.message += fmt::format(" Not taken back: {}", removed.error().describe());
  return Failure{std::move(error)};
}

Result<void> NewPackage::abandon() {
  COHORT_TRY(writer_.abandon());
  return keep();
}

Result<void> check_space(const Path& package, std::uint64_t free_bytes, std::uint64_t estimated_bytes) {
  if (free_bytes >= estimated_bytes) return {};
  return fail(ErrorCode::kNoSpace, "\"{}\" has {} MiB free, and the package may take {} MiB: nothing was written.",
              package.parent_path().string(), free_bytes >> 20U, estimated_bytes >> 20U);
}

}  // namespace cohort::service
