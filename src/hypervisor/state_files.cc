#include "hypervisor/state_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace cohort::hypervisor {
namespace {

using File = service::MachineStateFiles::File;

Result<void> give(const Path& path, uid_t owner, gid_t group, mode_t mode) {
  // Who is not root keeps the files, and runs swtpm under the same name.
  if (::geteuid() == 0 && ::chown(path.c_str(), owner, group) != 0) {
    return Failure{system_error(errno, fmt::format("\"{}\" cannot be given to swtpm.", path.string()))};
  }
  if (::chmod(path.c_str(), mode) == 0) return {};
  return Failure{system_error(errno, fmt::format("\"{}\" cannot be made readable for swtpm.", path.string()))};
}

// "tpm2/tpm2-00.permall": one folder at most, as libvirt has it.
bool stays_inside(const Path& name) {
  const auto parts = std::distance(name.begin(), name.end());
  return name.is_relative() && parts >= 1 && parts <= 2 && name.has_filename() &&
         std::none_of(name.begin(), name.end(), [](const Path& part) { return part == ".." || part == "."; });
}

Result<void> write_one(const File& file, const Path& folder, uid_t owner, gid_t group) {
  const Path path = folder / file.name;
  COHORT_TRY(make_directories(path.parent_path()));
  if (path.parent_path() != folder) COHORT_TRY(give(path.parent_path(), owner, group, 0700));
  COHORT_TRY(create_file(path, file.content));
  COHORT_TRY(give(path, owner, group, 0600));
  return sync_directory(path.parent_path());
}

Result<void> write_all(const std::vector<File>& files, const Path& folder, uid_t owner, gid_t group) {
  COHORT_TRY(make_directories(folder, 0711));
  for (const File& file : files) COHORT_TRY(write_one(file, folder, owner, group));
  return sync_directory(folder.parent_path());
}

}  // namespace

Result<std::vector<File>> read_tpm_files(const Path& folder) {
  std::vector<File> files;
  std::error_code error;
  std::filesystem::recursive_directory_iterator entries(folder, error);
  for (; !error && entries != std::filesystem::recursive_directory_iterator(); entries.increment(error)) {
    const Path path = entries->path();
    if (path.filename() == ".lock") continue;
    if (entries->symlink_status(error).type() != std::filesystem::file_type::regular) continue;
    COHORT_ASSIGN(std::string content, read_file(path, kLargestStateFile));
    files.push_back({path.lexically_relative(folder).string(), std::move(content)});
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Failure{
        system_error(error.value(), fmt::format("The TPM state in \"{}\" cannot be read.", folder.string()))};
  }
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.name < b.name; });
  return files;
}

Result<void> write_tpm_files(const std::vector<File>& files, const Path& folder, uid_t owner, gid_t group) {
  for (const File& file : files) {
    if (stays_inside(file.name)) continue;
    return fail(ErrorCode::kInvalidArgument, "\"{}\" is no name for a file of TPM state.", file.name);
  }
  std::error_code ignored;
  if (std::filesystem::exists(folder, ignored)) {
    return fail(ErrorCode::kAlreadyExists, "There is TPM state in \"{}\" already.", folder.string());
  }
  auto written = write_all(files, folder, owner, group);
  // The first failure is the one to report.
  if (!written) static_cast<void>(remove_tree(folder));
  return written;
}

}  // namespace cohort::hypervisor
