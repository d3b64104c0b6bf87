// Creates machines from a package. All of them, or none.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "domain/machine.h"
#include "domain/refusal_kind.h"
#include "service/job_context.h"
#include "service/ports/disk_copier.h"
#include "service/ports/hypervisor.h"
#include "service/ports/state_store.h"

namespace cohort::service {

struct ImportRequest {
  Path directory;                            // the package
  std::string name_prefix;                   // put before every name
  std::map<std::string, std::string> names;  // new name by name in the package; gets no prefix
  bool keep_ids = false;                     // keep UUIDs and MAC addresses; refused if a machine with one exists
  Path storage;                              // folder for the disks; empty: the hypervisor's default
  std::set<RefusalKind> trusted;             // what the machines may ask of this host all the same
  bool start = false;                        // start them when all are defined
};

struct ImportedMachine {
  std::string original_name;
  std::string name;
  MachineId id;  // nil in a plan, unless ids are kept
  std::vector<ImportedDisk> disks;
  std::vector<LeftOutDisk> left_out;  // of the original: not in the package, so the machine comes without them
  std::uint64_t bytes = 0;            // of its disks
  bool started = false;
};

struct ImportPlan {
  std::vector<ImportedMachine> machines;
  Path storage;
  std::uint64_t estimated_bytes = 0;
  std::uint64_t free_bytes = 0;
};

struct ImportReport {
  std::vector<ImportedMachine> machines;
};

// Crash: every file and machine is recorded before it is made; recover() removes them, but for machines that somebody
// has taken into use by then: see Undo.
class ImportPackage {
 public:
  ImportPackage(Hypervisor& hypervisor, DiskCopier& copier);

  // All checks but the reading of the disks; changes nothing. kUnsupported where the machines' disks would not be files
  // of this host.
  [[nodiscard]] Result<ImportPlan> plan(const ImportRequest& request);
  // Verifies the package first (kCorrupt); also what changes in it after that is kCorrupt. kAlreadyExists names the
  // machine, UUID or file that is in the way.
  [[nodiscard]] Result<ImportReport> run(const ImportRequest& request, JobContext& job);

 private:
  Hypervisor& hypervisor_;
  DiskCopier& copier_;
};

}  // namespace cohort::service
