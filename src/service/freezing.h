// The file systems of the members' guests, frozen around the fence.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "domain/snapshot.h"
#include "service/ports/hypervisor.h"

namespace cohort::service {

// Asks the agents of all members that run, if the snapshot asks for more than crash consistency, and notes what each
// member can be expected to reach. Changes no guest. Fails with kInvalidState, naming all that cannot be frozen and
// why, if the snapshot insists on application consistency.
[[nodiscard]] Result<void> foresee_consistency(Snapshot& snapshot, Hypervisor& hypervisor);

// Thaws a guest that may have been frozen; tries again for up to `patience`. An error names the machine and what to do.
[[nodiscard]] Result<ThawReport> thaw_stubbornly(const MemberSnapshot& member, Hypervisor& hypervisor,
                                                 Milliseconds patience);

// Threads: used from one.
class Freezing {
 public:
  // Of a snapshot that is foreseen; it is updated with what each member reaches.
  Freezing(Snapshot& snapshot, Hypervisor& hypervisor, const Clock& clock);

  // Those that are to be frozen.
  [[nodiscard]] std::vector<MachineId> machines() const;
  // No file system is meant to stay frozen for longer.
  [[nodiscard]] Milliseconds longest() const;

  // Notes which members may be frozen from now on; to be stored before freeze().
  void begin();
  // Freezes all in parallel. A member for which it fails counts as crash consistent; fails with kInvalidState, naming
  // all of those, if the snapshot insists on more. thaw() has to follow in any case.
  [[nodiscard]] Result<void> freeze();
  // Thaws all that may be frozen, in parallel, each as soon as its agent answers. Who was not frozen until then counts
  // as crash consistent. An error that says that machines may still be frozen leaves them noted so.
  [[nodiscard]] Result<void> thaw();
  // Takes time: asks whether those whom somebody else had frozen still are. Fails as freeze() does, if the snapshot
  // insists on more than was reached in the end.
  [[nodiscard]] Result<void> judge() const;
  // Whether a member may still be frozen.
  [[nodiscard]] bool is_any_left() const;

 private:
  struct Guest {
    MemberSnapshot& member;
    std::uint64_t file_systems = 0;  // that were frozen
  };

  [[nodiscard]] Result<std::uint64_t> freeze_in_time(const Guest& guest) const;
  [[nodiscard]] Result<void> thaw(Guest& guest) const;
  void check_others() const;

  Snapshot& snapshot_;
  Hypervisor& hypervisor_;
  const Clock& clock_;
  std::vector<Guest> guests_;
  SteadyTime began_;
};

}  // namespace cohort::service
