#include "hypervisor/guard_claim.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace cohort::hypervisor {
namespace {

constexpr Milliseconds kInterval{20};
constexpr std::string_view kSuffix = ".guard";

// An absolute path in the environment; empty if there is none.
Path folder_in(const char* variable) {
  const char* path = std::getenv(variable);
  return path != nullptr && *path == '/' ? Path(path) : Path();
}

// Opened once and checked then: what its name means later does not matter.
Result<UniqueFd> open_folder(const Path& folder) {
  UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  struct stat info {};
  if (!fd.is_open() || ::fstat(fd.get(), &info) != 0) {
    const int number = errno;
    return Failure{system_error(number, fmt::format("The folder \"{}\" cannot be opened.", folder.string()))};
  }
  if (info.st_uid == ::geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0) return fd;
  return fail(ErrorCode::kPermission,
              "The folder \"{}\" for the guards' locks is another user's, or others can write to it: remove it.",
              folder.string());
}

Failure cannot_claim(const GuardClaim::Machine& machine, int number) {
  return Failure{
      system_error(number, fmt::format("The machine \"{}\" cannot be claimed for its guard.", machine.name))};
}

UniqueFd open_file(const UniqueFd& folder, const std::string& name, int more) {
  return UniqueFd(::openat(folder.get(), name.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | more, 0600));
}

// Who holds the lock may remove the file. Whoever had it open by then gets a lock that nobody else would look for.
bool is_there(const UniqueFd& folder, const std::string& name, const UniqueFd& file) {
  struct stat there {};
  struct stat opened {};
  return ::fstatat(folder.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 && ::fstat(file.get(), &opened) == 0 &&
         there.st_dev == opened.st_dev && there.st_ino == opened.st_ino;
}

// True if the lock was got.
Result<bool> try_lock(const UniqueFd& file, const GuardClaim::Machine& machine) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return true;
  const int number = errno;
  if (number == EWOULDBLOCK || number == EINTR) return false;
  return cannot_claim(machine, number);
}

Result<UniqueFd> claim(const UniqueFd& folder, const std::string& name, const GuardClaim::Machine& machine,
                       SteadyTime until) {
  for (;;) {
    UniqueFd file = open_file(folder, name, O_CREAT);
    if (!file.is_open()) return cannot_claim(machine, errno);
    COHORT_ASSIGN(const bool is_ours, try_lock(file, machine));
    if (is_ours && is_there(folder, name, file)) return file;
    if (is_ours) continue;
    if (std::chrono::steady_clock::now() >= until) {
      return fail(
          ErrorCode::kInUse,
          "The machine \"{}\" is in another snapshot's fence, or still watched by the guard of one that did not "
          "end well: try again later.",
          machine.name);
    }
    std::this_thread::sleep_for(kInterval);
  }
}

}  // namespace

Result<GuardClaim> GuardClaim::acquire(const Path& folder, std::vector<Machine> machines, Milliseconds patience) {
  const SteadyTime until = std::chrono::steady_clock::now() + patience;
  COHORT_TRY(make_directories(folder));
  COHORT_ASSIGN(UniqueFd place, open_folder(folder));
  GuardClaim claimed(std::move(place));
  // In one order, so that two guards never wait for each other.
  std::ranges::sort(machines, {}, &Machine::id);
  for (const Machine& machine : machines) {
    std::string name = machine.id.str() + std::string(kSuffix);
    COHORT_ASSIGN(UniqueFd file, claim(claimed.folder_, name, machine, until));
    claimed.held_.push_back({std::move(name), std::move(file)});
  }
  return claimed;
}

GuardClaim::~GuardClaim() {
  for (const Held& held : held_) ::unlinkat(folder_.get(), held.name.c_str(), 0);
}

void GuardClaim::remove_left(const Path& folder) {
  const auto place = open_folder(folder);
  if (!place) return;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename();
    if (!name.ends_with(kSuffix)) continue;
    const UniqueFd file = open_file(*place, name, 0);
    if (!file.is_open() || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0 || !is_there(*place, name, file)) continue;
    ::unlinkat(place->get(), name.c_str(), 0);
  }
}

Path guard_claim_folder() {
  if (::geteuid() == 0) return "/run/cohort";
  if (const Path runtime = folder_in("XDG_RUNTIME_DIR"); !runtime.empty()) return runtime / "cohort";
  return folder_in("HOME") / ".cache/cohort";
}

}  // namespace cohort::hypervisor
