// The small files of a machine that change as it runs: UEFI variables and the emulated TPM's state.
#pragma once

#include <vector>

#include "base/file.h"
#include "service/ports/hypervisor.h"

namespace cohort::hypervisor {

// More than any firmware or TPM keeps.
inline constexpr std::uint64_t kLargestStateFile = std::uint64_t{16} << 20U;  // bytes

// All regular files below the folder, by name; swtpm's lock files are left out. None if there is no folder.
[[nodiscard]] Result<std::vector<service::MachineStateFiles::File>> read_tpm_files(const Path& folder);

// Writes such files to `folder`, which must not exist: made as libvirt makes it. `owner` and `group` are those swtpm
// runs under. Names that lead out of the folder are kInvalidArgument. After a failure nothing is left.
[[nodiscard]] Result<void> write_tpm_files(const std::vector<service::MachineStateFiles::File>& files,
                                           const Path& folder, uid_t owner, gid_t group);

}  // namespace cohort::hypervisor
