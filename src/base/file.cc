#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

namespace cohort {
namespace {

Failure errno_failure(std::string_view what, const Path& path) {
  const int number = errno;
  return Failure{system_error(number, fmt::format("\"{}\" cannot be {}.", path.string(), what))};
}

Result<void> write_all(int fd, std::string_view content, const Path& path) {
  while (!content.empty()) {
    const ssize_t count = ::write(fd, content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_failure("written", path);
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> sync_opened(const Path& path, int flags) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags));
  if (!fd.is_open()) return errno_failure("opened", path);
  if (::fsync(fd.get()) != 0) return errno_failure("synced", path);
  return {};
}

Failure failure_of(const std::error_code& code, std::string_view what, const Path& path) {
  return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be {}.", path.string(), what))};
}

}  // namespace

Result<UniqueFd> open_readonly(const Path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open()) return errno_failure("opened", path);
  return fd;
}

Result<std::string> read_file(const Path& path, std::uint64_t limit) {
  COHORT_ASSIGN(const UniqueFd fd, open_readonly(path));
  std::string content;
  std::string buffer(64UL << 10U, '\0');
  while (true) {
    const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_failure("read", path);
    if (count == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(count));
    if (content.size() > limit) {
      return fail(ErrorCode::kCorrupt, "\"{}\" is larger than the {} bytes that are expected at most.", path.string(),
                  limit);
    }
  }
}

Result<void> create_file(const Path& path, std::string_view content, mode_t mode) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd.is_open()) return errno_failure("created", path);
  auto written = write_all(fd.get(), content, path);
  if (written && ::fsync(fd.get()) != 0) written = errno_failure("synced", path);
  if (!written) ::unlink(path.c_str());
  return written;
}

Result<void> sync_file(const Path& path) { return sync_opened(path, 0); }
Result<void> sync_directory(const Path& path) { return sync_opened(path, O_DIRECTORY); }

Result<void> make_directories(const Path& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) return {};
  if (errno == ENOENT && path.has_parent_path() && path.parent_path() != path) {
    COHORT_TRY(make_directories(path.parent_path(), mode));
    if (::mkdir(path.c_str(), mode) == 0) return {};
  }
  std::error_code ignored;
  if (errno == EEXIST && std::filesystem::is_directory(path, ignored)) return {};
  return errno_failure("created as a folder", path);
}

Result<void> remove_file(const Path& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return errno_failure("removed", path);
}

Result<void> remove_tree(const Path& path) {
  std::error_code code;
  std::filesystem::remove_all(path, code);
  if (code) return failure_of(code, "removed", path);
  return {};
}

Result<std::uint64_t> free_bytes(const Path& path) {
  Path existing = path;
  struct statvfs info {};
  while (::statvfs(existing.empty() ? "." : existing.c_str(), &info) != 0) {
    if (errno != ENOENT || existing.empty() || existing == existing.parent_path()) {
      return errno_failure("asked for its free space", path);
    }
    existing = existing.parent_path();
  }
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

Result<std::uint64_t> size_of_file(const Path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return errno_failure("looked at", path);
  return static_cast<std::uint64_t>(info.st_size);
}

}  // namespace cohort
