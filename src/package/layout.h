// Where things are in a package.
#pragma once

#include <string>
#include <string_view>

#include "domain/ids.h"

namespace cohort::package {

inline constexpr std::string_view kManifestName = "cohort.json";
inline constexpr std::string_view kHashListName = "SHA256SUMS";
inline constexpr std::string_view kMachinesFolder = "Virtual Machines";
inline constexpr std::string_view kDisksFolder = "Virtual Hard Disks";
inline constexpr std::string_view kPartialSuffix = ".partial";

[[nodiscard]] std::string configuration_file(const MachineId& machine);  // Virtual Machines/<uuid>.xml
[[nodiscard]] std::string nvram_file(const MachineId& machine);          // Virtual Machines/<uuid>.nvram
[[nodiscard]] std::string tpm_file(const MachineId& machine,
                                   std::string_view name);  // Virtual Machines/<uuid>.tpm/<name>
// Virtual Hard Disks/<machine>-<target>.<format>
[[nodiscard]] std::string disk_file(std::string_view machine_name, std::string_view target, std::string_view format);
// Virtual Hard Disks/<machine>-<target>.hashes
[[nodiscard]] std::string block_hashes_file(std::string_view machine_name, std::string_view target);

}  // namespace cohort::package
