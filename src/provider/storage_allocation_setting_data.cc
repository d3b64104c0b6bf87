#include "provider/storage_allocation_setting_data.h"

#include <algorithm>

#include "cim/object_path.h"
#include "provider/machine_part.h"
#include "provider/paths.h"
#include "provider/resource_allocation_setting_data.h"

namespace cohort::provider {
namespace {

using cim::Value;

constexpr std::uint16_t kLogicalDisk = 31;
constexpr std::uint64_t kBlock = 512;
constexpr std::uint16_t kReadable = 1;
constexpr std::uint16_t kReadWrite = 3;

std::string_view sub_type(DriveKind kind) {
  switch (kind) {
    case DriveKind::kCdrom:
      return "Microsoft:Hyper-V:Virtual CD/DVD Disk";
    case DriveKind::kFloppy:
      return "Microsoft:Hyper-V:Virtual Floppy Disk";
    case DriveKind::kDisk:
      break;
  }
  return "Microsoft:Hyper-V:Virtual Hard Disk";
}

// What only a snapshot knows: it has read the image's head.
void add_size(cim::Instance& image, const MachineConfiguration::Taken& taken, const std::string& target) {
  image.set("SnapshotId", Value(upper(taken.id.str())));
  const auto disk = std::ranges::find(taken.disks, target, &DiskSnapshot::target);
  if (disk == taken.disks.end()) return;
  image.set("VirtualResourceBlockSize", Value(kBlock));
  image.set("VirtualQuantity", Value(disk->virtual_size / kBlock));
}

cim::Instance image_in(const MachineConfiguration& configuration, const Drive& drive) {
  cim::Instance image = part("Msvm_StorageAllocationSettingData", part_id(configuration, drive.target + "\\L"),
                             drive.kind == DriveKind::kDisk ? "Hard Disk Image" : "Disk Image");
  image.set("ResourceType", Value(kLogicalDisk));
  image.set("ResourceSubType", Value(sub_type(drive.kind)));
  image.set("HostResource", Value::array_of(std::vector{drive.source}));
  image.set("Parent", Value(cim::to_text(path_of_drive(configuration, drive))));
  image.set("Address", Value(drive.target));
  image.set("AddressOnParent", Value("0"));
  image.set("Access", Value(drive.is_readonly ? kReadable : kReadWrite));
  image.set("PersistentReservationsSupported", Value(drive.is_shareable));
  if (configuration.taken) add_size(image, *configuration.taken, drive.target);
  return image;
}

}  // namespace

std::vector<cim::Instance> storage_allocation_settings(const MachineConfiguration& configuration) {
  std::vector<cim::Instance> images;
  for (const Drive& drive : configuration.hardware.drives) {
    if (!drive.source.empty()) images.push_back(image_in(configuration, drive));
  }
  return images;
}

}  // namespace cohort::provider
