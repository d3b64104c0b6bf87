// What a machine is made of beside its disks, as it is kept and put back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "domain/ids.h"
#include "domain/machine.h"

namespace cohort::service {

// What is read inside the fence besides the disks: small files that change as the guest runs.
struct MachineStateFiles {
  struct File {
    std::string name;  // relative, below the TPM's folder
    std::string content;
  };
  std::optional<std::string> nvram;
  std::vector<File> tpm;
};

// A disk of a machine that is made, or made anew.
struct ImportedDisk {
  std::string target;
  Layer file;
};

// A machine as it was at an instant.
struct RestoreRequest {
  MachineId id;
  std::string definition;           // with secrets
  std::vector<ImportedDisk> disks;  // what its disks have for sources, in place of those that the definition names
  MachineStateFiles files;
  std::optional<Path> memory;  // as capture() has saved it; absent: the machine stays off
};

}  // namespace cohort::service
