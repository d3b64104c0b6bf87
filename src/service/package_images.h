// What is read of a package and of those that it stands on.
#pragma once

#include <string>
#include <vector>

#include "domain/machine.h"
#include "package/package_chain.h"
#include "service/job_context.h"
#include "service/ports/disk_copier.h"

namespace cohort::service {

// Reads every byte of it and of its parents. kCorrupt if it is not whole, or not what was opened; kInvalidState if it
// has to be sealed first.
[[nodiscard]] Result<void> verify_opened(const package::PackageChain& chain, JobContext& job);

// The images of a disk, open; a disk that stands alone has one.
struct OpenedLayers {
  std::vector<UniqueFd> fds;  // the top first
  std::vector<std::string> formats;
  std::vector<std::string> names;  // with their packages

  // By names that are good while they are open.
  [[nodiscard]] std::vector<Layer> layers() const;
  // A message with the files' own names in place of those.
  [[nodiscard]] std::string with_own_names(std::string text) const;
};
// Of the first package. kCorrupt as package::open_entry. REQUIRES: the chain is complete.
[[nodiscard]] Result<OpenedLayers> open_layers(const package::PackageChain& chain, const MachineId& machine,
                                               const package::DiskEntry& disk);

// Whether the images are there, of the lengths that the manifests say: kCorrupt, as open_layers().
[[nodiscard]] Result<void> check_images(const package::PackageChain& chain, const MachineId& machine,
                                        const package::DiskEntry& disk);
// Bytes that a copy which stands alone may take on its storage. Errors as open_layers() and DiskCopier.
[[nodiscard]] Result<std::uint64_t> measure_alone(const package::PackageChain& chain, const MachineId& machine,
                                                  const package::DiskEntry& disk, DiskCopier& copier,
                                                  const std::stop_token& stop);

// A small file of a verified package. kCorrupt if it is not the same any more.
[[nodiscard]] Result<std::string> read_verified(const package::PackageFolder& folder, const package::FileEntry& entry);

}  // namespace cohort::service
