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

// An absolute path in the environment; empty if there is none.
Path folder_in(const char* variable) {
  const char* path = std::getenv(variable);
  return path != nullptr && *path == '/' ? Path(path) : Path();
}

// Opened once and checked then: what its name means later does not matter.
Result<UniqueFd> open_folder(const Path& folder) {
  COHORT_TRY(make_directories(folder));
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

// True if the lock was got. The file stays: were it removed, two could hold it.
Result<bool> try_lock(const UniqueFd& file, const GuardClaim::Machine& machine) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return true;
  const int number = errno;
  if (number == EWOULDBLOCK || number == EINTR) return false;
  return Failure{
      system_error(number, fmt::format("The machine \"{}\" cannot be claimed for its guard.", machine.name))};
}

Result<UniqueFd> claim(const UniqueFd& folder, const GuardClaim::Machine& machine, SteadyTime until) {
  UniqueFd file(
      ::openat(folder.get(), (machine.id.str() + ".guard").c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) {
    const int number = errno;
    return Failure{
        system_error(number, fmt::format("The machine \"{}\" cannot be claimed for its guard.", machine.name))};
  }
  for (;;) {
    COHORT_ASSIGN(const bool is_ours, try_lock(file, machine));
    if (is_ours) return file;
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
  GuardClaim held;
  COHORT_ASSIGN(const UniqueFd place, open_folder(folder));
  // In one order, so that two guards never wait for each other.
  std::ranges::sort(machines, {}, &Machine::id);
  for (const Machine& machine : machines) {
    COHORT_ASSIGN(UniqueFd file, claim(place, machine, until));
    held.files_.push_back(std::move(file));
  }
  return held;
}

Path guard_claim_folder() {
  if (::geteuid() == 0) return "/run/cohort";
  if (const Path runtime = folder_in("XDG_RUNTIME_DIR"); !runtime.empty()) return runtime / "cohort";
  return folder_in("HOME") / ".cache/cohort";
}

}  // namespace cohort::hypervisor
