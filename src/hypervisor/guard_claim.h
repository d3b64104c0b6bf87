// One guard at a time for a machine.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/result.h"
#include "base/unique_fd.h"
#include "domain/ids.h"

namespace cohort::hypervisor {

// Held as long as the object, and no longer than the process lives, however it dies. What a killed process leaves is an
// empty file, which remove_left() takes away.
//
// The guard of a process that has died goes on resuming its members for some seconds. A fence raised meanwhile would be
// broken by it. Users do not see each other's claims: nobody but root can keep root from taking a snapshot.
class GuardClaim {
 public:
  struct Machine {
    MachineId id;
    std::string name;  // for people
  };

  // Waits for the guards that hold any of these machines; kInUse naming the machine if that takes longer than
  // `patience`. The claims are locks on files in `folder`, which is made if it is not there; kPermission if others than
  // this user could write to it.
  [[nodiscard]] static Result<GuardClaim> acquire(const Path& folder, std::vector<Machine> machines,
                                                  Milliseconds patience);
  GuardClaim(GuardClaim&&) = default;
  GuardClaim& operator=(GuardClaim&&) = delete;
  ~GuardClaim();

  // Removes the files of claims that no process holds. One that cannot be removed stays: it is in nobody's way.
  static void remove_left(const Path& folder);

 private:
  struct Held {
    std::string name;  // in the folder
    UniqueFd file;
  };

  explicit GuardClaim(UniqueFd folder) : folder_(std::move(folder)) {}

  UniqueFd folder_;
  std::vector<Held> held_;
};

// The one that all guards of this user share: /run/cohort of root, $XDG_RUNTIME_DIR/cohort of others, or, where they
// have no such folder, .cache/cohort in their home.
[[nodiscard]] Path guard_claim_folder();

}  // namespace cohort::hypervisor
