#include "daemon/export_folders.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

namespace cohort::daemon {
namespace {

constexpr std::size_t kLongestPath = 3072;  // bytes: what is written into the folder has to fit into PATH_MAX, too
constexpr std::size_t kLongestName = 200;   // of one part, for the same reason

// A path that means what it says.
Result<Path> read_directory(const std::string& text) {
  if (text.size() > kLongestPath) {
    return fail(ErrorCode::kInvalidArgument, "The export directory's path is longer than {} bytes.", kLongestPath);
  }
  const bool has_control = std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (has_control) {
    return fail(ErrorCode::kInvalidArgument,
                "The export directory's path has a NUL or another control character in it.");
  }
  if (text.empty() || text.front() != '/') {
    return fail(ErrorCode::kInvalidArgument, "The export directory \"{}\" is not an absolute path of this host.", text);
  }
  Path clean = "/";
  for (const Path& part : Path(text).relative_path()) {
    if (part == "..") return fail(ErrorCode::kInvalidArgument, "The export directory \"{}\" has \"..\" in it.", text);
    if (part.native().size() > kLongestName) {
      return fail(ErrorCode::kInvalidArgument, "A name in the export directory's path is longer than {} bytes.",
                  kLongestName);
    }
    if (!part.empty() && part != ".") clean /= part;
  }
  return clean;
}

// What is below the root, "." for itself; nothing if the path lies elsewhere.
std::optional<Path> rest_below(const Path& path, const Path& root) {
  const Path rest = path.lexically_relative(root);
  if (rest.empty() || *rest.begin() == "..") return std::nullopt;
  return rest;
}

bool is_ours_alone(const struct stat& status) {
  const bool is_ours = status.st_uid == 0 || status.st_uid == ::geteuid();
  return is_ours && (status.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

Failure writable_by_others(const Path& path) {
  return fail(ErrorCode::kPermission,
              "Nothing is exported below \"{}\": others than root could put a link there. It has to belong to root and "
              "not to be writable by group and others.",
              path.string());
}

Result<void> check_owner(int folder, const Path& path) {
  struct stat status {};
  if (::fstat(folder, &status) != 0) {
    return Failure{system_error(errno, fmt::format("\"{}\" cannot be looked at.", path.string()))};
  }
  if (!is_ours_alone(status)) return writable_by_others(path);
  return {};
}

}  // namespace

Result<ExportFolders> ExportFolders::open(const std::vector<Path>& roots) {
  ExportFolders folders;
  for (const Path& given : roots) {
    std::error_code error;
    Path real = std::filesystem::canonical(given, error);
    UniqueFd folder(error ? -1 : ::open(real.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder.is_open()) {
      return Failure{system_error(error ? error.value() : errno,
                                  fmt::format("The folder \"{}\" for exports cannot be used.", given.string()))};
    }
    COHORT_TRY(check_owner(folder.get(), real));
    folders.roots_.push_back({given.lexically_normal(), std::move(real), std::move(folder)});
  }
  return folders;
}

Result<Path> ExportFolders::allowed(const std::string& directory) const {
  COHORT_ASSIGN(const Path path, read_directory(directory));
  for (const Root& root : roots_) {
    auto rest = rest_below(path, root.real);
    if (!rest) rest = rest_below(path, root.given);
    if (rest == Path(".")) return root.real;
    if (rest) return below(root, *rest);
  }
  return fail(ErrorCode::kPermission,
              "\"{}\" is below none of the folders that this host's configuration has for exports.", path.string());
}

Result<Path> ExportFolders::below(const Root& root, const Path& rest) const {
  UniqueFd folder;
  Path at = root.real;
  for (const Path& part : rest) {
    at /= part;
    const int above = folder.is_open() ? folder.get() : root.folder.get();
    UniqueFd next(::openat(above, part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    // What is not there yet is made by the export, where nobody else can make it.
    if (!next.is_open() && errno == ENOENT) return root.real / rest;
    if (!next.is_open()) {
      return fail(ErrorCode::kPermission, "\"{}\" is a link or no folder; exports do not go through it.", at.string());
    }
    COHORT_TRY(check_owner(next.get(), at));
    folder = std::move(next);
  }
  return root.real / rest;
}

}  // namespace cohort::daemon
