#include "package/writer.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "base/kill_point.h"
#include "base/sha256.h"
#include "package/layout.h"

namespace cohort::package {
namespace {

// Absolute, without a slash at the end, so that ".partial" can be put behind it.
Path normal(const Path& path) {
  std::error_code code;
  Path absolute = std::filesystem::absolute(path, code);
  if (code) absolute = path;
  absolute = absolute.lexically_normal();
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

Failure exists(const Path& path, std::string_view what) {
  return fail(ErrorCode::kAlreadyExists, "\"{}\" {}; nothing is overwritten.", path.string(), what);
}

// An empty folder is what rename(2) replaces; all else stays.
Result<void> check_free(const Path& package) {
  std::error_code code;
  const auto status = std::filesystem::symlink_status(package, code);
  if (status.type() == std::filesystem::file_type::not_found) return {};
  if (!std::filesystem::is_directory(status)) return exists(package, "is there already");
  const bool is_empty = std::filesystem::is_empty(package, code);
  if (code) {
    return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be looked into.", package.string()))};
  }
  if (!is_empty) return exists(package, "is there already and not empty");
  return {};
}

Result<UniqueFd> open_folder(int parent, const Path& path) {
  UniqueFd fd(::openat(parent, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.is_open()) return fd;
  const int number = errno;
  return Failure{system_error(number, fmt::format("The folder \"{}\" cannot be opened.", path.string()))};
}

Result<UniqueFd> make_partial(const UniqueFd& parent, const Path& partial) {
  if (::mkdirat(parent.get(), partial.filename().c_str(), 0700) == 0) {
    return open_folder(parent.get(), partial.filename());
  }
  const int number = errno;
  if (number == EEXIST) return exists(partial, "is left from an export, or one is running");
  return Failure{system_error(number, fmt::format("The folder \"{}\" cannot be created.", partial.string()))};
}

// Whether the path names the folder that is open, as far as the file system tells.
bool names(const Path& path, const UniqueFd& folder) {
  struct stat named {};
  struct stat opened {};
  if (::lstat(path.c_str(), &named) != 0) return errno != ENOENT && errno != ENOTDIR;
  return ::fstat(folder.get(), &opened) == 0 && named.st_dev == opened.st_dev && named.st_ino == opened.st_ino;
}

Failure not_in_place(const Path& path) {
  return fail(ErrorCode::kIo,
              "\"{}\" is not the folder any more into which the package was written: its file system was unmounted, or "
              "somebody has moved it. Mount what belongs there and try again.",
              path.string());
}

// The same folder whatever is mounted over its path.
Path through(const UniqueFd& parent, const Path& name) { return fmt::format("/proc/self/fd/{}", parent.get()) / name; }

Result<void> check_written(const Path& folder, const FileEntry& entry) {
  COHORT_ASSIGN(const std::uint64_t size, size_of_file(folder / entry.file));
  if (size == entry.size) return {};
  return fail(ErrorCode::kInternal, "\"{}\" has {} bytes; the manifest says {}.", entry.file, size, entry.size);
}

// A package that parse_manifest would refuse must not be published.
Result<void> check_manifest(const Path& folder, const Manifest& manifest, std::string_view text) {
  if (auto parsed = parse_manifest(text); !parsed) {
    return fail(ErrorCode::kInternal, "The manifest of the package is not sound: {}", parsed.error().message);
  }
  for (const auto* entry : manifest.files()) COHORT_TRY(check_written(folder, *entry));
  return {};
}

// The names in all folders, the lowest first.
Result<void> sync_folders(const Path& top) {
  std::vector<Path> folders{top};
  std::error_code code;
  for (auto it = std::filesystem::recursive_directory_iterator(top, code);
       !code && it != std::filesystem::recursive_directory_iterator(); it.increment(code)) {
    if (it->is_directory(code) && !it->is_symlink(code)) folders.push_back(it->path());
  }
  if (code) return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be listed.", top.string()))};
  std::ranges::reverse(folders);
  for (const auto& folder : folders) COHORT_TRY(sync_directory(folder));
  return {};
}

// rename(2) replaces an empty folder, and refuses to replace anything else by a folder.
Result<void> rename_folder(const UniqueFd& parent, const Path& from, const Path& to) {
  if (::renameat(parent.get(), from.filename().c_str(), parent.get(), to.filename().c_str()) == 0) return {};
  const int number = errno;
  if (number == ENOTEMPTY || number == EEXIST || number == ENOTDIR) return exists(to, "has appeared meanwhile");
  return Failure{system_error(number, fmt::format("\"{}\" cannot be renamed to \"{}\".", from.string(), to.string()))};
}

Result<void> exchange_folders(const UniqueFd& parent, const Path& one, const Path& other) {
  if (::renameat2(parent.get(), one.filename().c_str(), parent.get(), other.filename().c_str(), RENAME_EXCHANGE) == 0) {
    return {};
  }
  const int number = errno;
  if (number == EINVAL || number == ENOSYS || number == EOPNOTSUPP) {
    return fail(
        ErrorCode::kUnsupported,
        "The file system of \"{}\" cannot exchange two folders in one step, so no package can be replaced there.",
        other.string());
  }
  return Failure{
      system_error(number, fmt::format("\"{}\" cannot take the place of \"{}\".", one.string(), other.string()))};
}

Result<void> check_folder(const Path& package) {
  std::error_code code;
  if (std::filesystem::is_directory(std::filesystem::symlink_status(package, code))) return {};
  return fail(ErrorCode::kNotFound, "\"{}\" is no folder, and no package to be replaced.", package.string());
}

}  // namespace

Writer::Writer(const Path& package, Placing placing) : package_(normal(package)), placing_(placing) {}

Path Writer::partial() const { return Path(package_.native() + std::string(kPartialSuffix)); }

Result<void> Writer::begin() {
  COHORT_TRY(placing_ == Placing::kNew ? check_free(package_) : check_folder(package_));
  COHORT_ASSIGN(parent_, open_folder(AT_FDCWD, package_.parent_path()));
  COHORT_ASSIGN(partial_, make_partial(parent_, partial()));
  COHORT_TRY(check_in_place());
  COHORT_TRY(make_directories(partial() / kMachinesFolder));
  return make_directories(partial() / kDisksFolder);
}

Result<void> Writer::check_in_place() const {
  const Path place = is_stranded_ ? package_ : partial();
  if (names(place, partial_)) return {};
  return not_in_place(place);
}

Result<Path> Writer::place_for(const std::string& file) const {
  if (!is_safe_path(file)) return fail(ErrorCode::kInternal, "\"{}\" is not a path for a package.", file);
  const Path place = partial() / file;
  COHORT_TRY(check_in_place());
  COHORT_TRY(make_directories(place.parent_path()));
  return place;
}

Result<FileEntry> Writer::add(const std::string& file, std::string_view content) const {
  COHORT_ASSIGN(const Path place, place_for(file));
  COHORT_TRY(create_file(place, content));
  return FileEntry{file, content.size(), Sha256::of(content)};
}

Result<void> Writer::publish(const Manifest& manifest) {
  const std::string text = format_manifest(manifest);
  COHORT_TRY(check_in_place());
  COHORT_TRY(check_manifest(partial(), manifest, text));
  COHORT_TRY(create_file(partial() / kHashListName, format_hash_list(manifest, text)));
  COHORT_TRY(create_file(partial() / kManifestName, text));
  COHORT_TRY(sync_folders(partial()));
  kill_point("publish.before_rename");
  COHORT_TRY(move(partial(), package_));
  kill_point("publish.after_rename");
  auto durable = sync_published();
  if (!durable) return take_away(std::move(durable).error());
  return {};
}

// A package that may be gone after a power failure must not be taken for one that is there: whoever takes the export
// back finds it under the name that it had.
Failure Writer::take_away(Error unsynced) {
  const auto renamed = move(package_, partial());
  if (renamed) return Failure{std::move(unsynced)};
  is_stranded_ = true;
  unsynced.message += fmt::format(
      " The package stands there as \"{}\" and could not be taken away again ({}): it may be gone after a power "
      "failure, "
      "so do not rely on it. Remove it, and export again.",
      package_.string(), renamed.error().describe());
  return Failure{std::move(unsynced)};
}

Result<void> Writer::move(const Path& from, const Path& to) const {
  return placing_ == Placing::kNew ? rename_folder(parent_, from, to) : exchange_folders(parent_, from, to);
}

Result<void> Writer::sync_published() const {
  if (::fsync(parent_.get()) != 0) {
    const int number = errno;
    return Failure{system_error(number, fmt::format("\"{}\" cannot be synced.", package_.parent_path().string()))};
  }
  return names(package_, partial_) ? Result<void>{} : not_in_place(package_);
}

Result<void> Writer::abandon() const {
  const Path folder = through(parent_, partial().filename());
  return names(folder, partial_) ? remove_tree(folder) : Result<void>{};
}

}  // namespace cohort::package
