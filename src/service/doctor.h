// Finds what is amiss and no running job will mend, and mends it on request.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "service/job_context.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"

namespace cohort::service {

enum class AilmentKind {
  kUnfinishedJob,      // its process ended before it did
  kUnreadableMachine,  // a machine or its disks cannot be looked at; what belongs to it is not judged
  kBrokenSnapshot,     // a machine of a snapshot is gone, or its disk no longer stands on the overlay
  kBrokenLayers,       // the same of files that a deleted snapshot has left to several branches
  kMistakenDisk,       // a machine runs on another file than libvirt takes for its disk
  kUnrecordedOverlay,  // a machine writes to an overlay that no snapshot of this state knows
  kStrayOverlay,       // an overlay file that no machine and no snapshot uses
  kStrayMemory,        // a file with the memory of a machine that no snapshot has
  kPausedMachine,      // a member of a collection stands still
  kPartialPackage,     // a folder in which an export was not finished
};
[[nodiscard]] std::string_view to_string(AilmentKind kind);  // "unfinished_job", "stray_overlay", …

struct Ailment {
  std::string id;  // "<kind>:<what>"; the same as long as it lasts
  AilmentKind kind = AilmentKind::kUnfinishedJob;
  std::string message;  // what was seen, a sentence
  std::string remedy;   // what mending does, or what to do by hand
  bool is_mendable = false;
};

struct DoctorRequest {
  std::vector<Path> folders;      // where packages are kept; partial ones are looked for right below
  std::vector<std::string> mend;  // ids of ailments
};

struct DoctorReport {
  std::vector<Ailment> ailments;    // of examine(); of mend(): what is still amiss
  std::vector<std::string> mended;  // sentences: what was done
};

class Doctor {
 public:
  Doctor(Hypervisor& hypervisor, StateStore& store);

  // Changes nothing. Machines that cannot be looked at are part of the report.
  [[nodiscard]] Result<DoctorReport> examine(const DoctorRequest& request);
  // Checks all ids before the first is mended: kNotFound if one is not amiss, kUnsupported if it is to be mended by
  // hand. Crash: each mending can be repeated.
  [[nodiscard]] Result<DoctorReport> mend(const DoctorRequest& request, JobContext& job);

 private:
  Hypervisor& hypervisor_;
  StateStore& store_;
};

}  // namespace cohort::service
