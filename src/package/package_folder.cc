#include "package/package_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cohort::package {
namespace {

constexpr int kMaxDepth = 8;

Failure cannot_open(int number, const std::string& file) {
  // A link: ELOOP from O_NOFOLLOW. For a folder on the way it is ENOTDIR, as for a file in its place.
  if (number == ELOOP) return fail(ErrorCode::kInvalidState, "\"{}\" is a link, not a file.", file);
  if (number == ENOTDIR) return fail(ErrorCode::kInvalidState, "\"{}\" is not below folders of the package.", file);
  if (number == ENXIO) return fail(ErrorCode::kInvalidState, "\"{}\" is not an ordinary file.", file);
  return Failure{system_error(number, fmt::format("\"{}\" cannot be opened.", file))};
}

Result<void> check_ordinary(const UniqueFd& fd, const std::string& file) {
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return cannot_open(errno, file);
  if (S_ISREG(info.st_mode)) return {};
  return fail(ErrorCode::kInvalidState, "\"{}\" is not an ordinary file.", file);
}

constexpr int kNoLinks = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;

// Below `top`, which stays open; the folder of the last part, or `top` itself if there is but one.
Result<UniqueFd> open_folder_of(int top, const std::string& file, std::string& rest) {
  UniqueFd folder;
  rest = file;
  for (std::size_t slash = rest.find('/'); slash != std::string::npos; slash = rest.find('/')) {
    const int above = folder.is_open() ? folder.get() : top;
    UniqueFd next(::openat(above, rest.substr(0, slash).c_str(), kNoLinks | O_DIRECTORY));
    if (!next.is_open()) return cannot_open(errno, file);
    folder = std::move(next);
    rest.erase(0, slash + 1);
  }
  return folder;
}

}  // namespace

Result<PackageFolder> PackageFolder::open(const Path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.is_open()) return PackageFolder(path, std::move(fd));
  const int number = errno;
  if (number == ENOTDIR) return fail(ErrorCode::kNotFound, "\"{}\" is not a folder.", path.string());
  return Failure{system_error(number, fmt::format("The package \"{}\" cannot be opened.", path.string()))};
}

Result<UniqueFd> PackageFolder::open_file(const std::string& file) const {
  std::string name;
  COHORT_ASSIGN(const UniqueFd folder, open_folder_of(fd_.get(), file, name));
  UniqueFd fd(::openat(folder.is_open() ? folder.get() : fd_.get(), name.c_str(), kNoLinks));
  if (!fd.is_open()) return cannot_open(errno, file);
  COHORT_TRY(check_ordinary(fd, file));
  return fd;
}

Result<PackageFolder> PackageFolder::open_parent(const std::string& path) const {
  std::string name;
  COHORT_ASSIGN(const UniqueFd folder, open_folder_of(fd_.get(), path, name));
  UniqueFd fd(::openat(folder.get(), name.c_str(), kNoLinks | O_DIRECTORY));
  if (!fd.is_open()) return cannot_open(errno, path);
  // Where it is, not how it was reached: that depends on what the path of this folder went through.
  std::error_code code;
  Path place = std::filesystem::read_symlink(path_of(fd), code);
  if (code) return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be looked up.", path))};
  return PackageFolder(std::move(place), std::move(fd));
}

Result<std::string> PackageFolder::read(const std::string& file, std::uint64_t limit) const {
  COHORT_ASSIGN(const UniqueFd fd, open_file(file));
  COHORT_ASSIGN(const std::uint64_t size, size_of(fd, file));
  if (size > limit) {
    return fail(ErrorCode::kCorrupt, "\"{}\" has {} bytes; {} are the most that it can have.", file, size, limit);
  }
  auto content = read_file(path_of(fd), limit);
  if (!content) content.error().message = with_own_name(content.error().message, fd, file);
  return content;
}

Result<void> PackageFolder::lock() const {
  if (::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0) return {};
  if (errno == EWOULDBLOCK) {
    return fail(ErrorCode::kInUse, "Another process works on the package \"{}\".", path_.string());
  }
  const int number = errno;
  return Failure{system_error(number, fmt::format("The package \"{}\" cannot be locked.", path_.string()))};
}

Result<NewPlace> PackageFolder::clear_place(const std::string& file) const {
  std::string name;
  COHORT_ASSIGN(UniqueFd folder, open_folder_of(fd_.get(), file, name));
  if (!folder.is_open()) folder = UniqueFd(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 0));
  if (!folder.is_open()) return cannot_open(errno, file);
  Path path = path_of(folder) / name;
  struct stat info {};
  // Looked at first: nothing is removed where nothing can be, and nothing has to be.
  if (::fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return NewPlace{std::move(folder), std::move(path)};
    return cannot_open(errno, file);
  }
  if (S_ISDIR(info.st_mode)) return fail(ErrorCode::kInvalidState, "\"{}\" is a folder.", file);
  if (::unlinkat(folder.get(), name.c_str(), 0) == 0) return NewPlace{std::move(folder), std::move(path)};
  const int number = errno;
  return Failure{system_error(number, fmt::format("\"{}\" cannot be removed.", file))};
}

Result<void> PackageFolder::replace(const std::string& name, std::string_view content) const {
  COHORT_ASSIGN(const UniqueFd old, open_file(name));
  COHORT_ASSIGN(const NewPlace place, clear_place(new_name(name)));
  if (auto created = create_file(place.path, content); !created) {
    created.error().message = with_own_name(created.error().message, place.folder, path_.string());
    return created;
  }
  adopt_owner(old, place.path);
  if (::renameat(fd_.get(), place.path.filename().c_str(), fd_.get(), name.c_str()) != 0) {
    const int number = errno;
    return Failure{system_error(number, fmt::format("\"{}\" cannot be put in its place.", name))};
  }
  return sync_directory(path_of(fd_));
}

std::string PackageFolder::new_name(std::string_view name) { return std::string(name) + ".new"; }

Result<std::vector<Path>> PackageFolder::list(std::size_t limit) const {
  std::vector<Path> found;
  std::error_code code;
  const std::filesystem::recursive_directory_iterator end;
  for (std::filesystem::recursive_directory_iterator it(path_, code); !code && it != end && found.size() < limit;
       it.increment(code)) {
    if (it.depth() >= kMaxDepth) it.disable_recursion_pending();
    std::error_code unknown;
    const bool is_folder = it->symlink_status(unknown).type() == std::filesystem::file_type::directory;
    if (!is_folder || it.depth() >= kMaxDepth) found.push_back(it->path().lexically_relative(path_));
  }
  if (code) return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be listed.", path_.string()))};
  std::ranges::sort(found);
  return found;
}

Path path_of(const UniqueFd& fd) { return fmt::format("/proc/{}/fd/{}", ::getpid(), fd.get()); }

void adopt_owner(const UniqueFd& from, const Path& file) {
  const UniqueFd made(::open(file.c_str(), kNoLinks));
  struct stat model {};
  struct stat info {};
  if (!made.is_open() || ::fstat(from.get(), &model) != 0 || ::fstat(made.get(), &info) != 0) return;
  // Whoever the folder belongs to may have put another file in its place since.
  if (!S_ISREG(info.st_mode) || info.st_uid != ::geteuid() || info.st_nlink != 1) return;
  // Who may not give files away keeps what it has made.
  static_cast<void>(::fchown(made.get(), model.st_uid, model.st_gid) == 0 &&
                    ::fchmod(made.get(), model.st_mode & 0666) == 0);
}

std::string with_own_name(std::string text, const UniqueFd& fd, const std::string& file) {
  const std::string other = path_of(fd).native();
  for (std::size_t at = text.find(other); at != std::string::npos; at = text.find(other, at + file.size())) {
    text.replace(at, other.size(), file);
  }
  return text;
}

Result<std::uint64_t> size_of(const UniqueFd& fd, const std::string& file) {
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return cannot_open(errno, file);
  return static_cast<std::uint64_t>(info.st_size);
}

}  // namespace cohort::package
