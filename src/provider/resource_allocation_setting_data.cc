#include "provider/resource_allocation_setting_data.h"

#include <algorithm>
#include <array>
#include <map>

#include "cim/object_path.h"
#include "provider/machine_part.h"

namespace cohort::provider {
namespace {

using cim::Value;

constexpr std::string_view kClass = "Msvm_ResourceAllocationSettingData";

struct ControllerKind {
  std::string_view name;  // in InstanceIDs
  std::string_view title;
  std::string_view sub_type;
  std::uint16_t resource_type;
  std::size_t places;  // for drives
};
constexpr ControllerKind kIde{"ide", "IDE Controller", "Microsoft:Hyper-V:Emulated IDE Controller", 5, 2};
constexpr ControllerKind kScsi{"scsi", "SCSI Controller", "Microsoft:Hyper-V:Synthetic SCSI Controller", 6, 64};
constexpr ControllerKind kFloppy{"fdc", "Diskette Controller", "Microsoft:Hyper-V:Virtual Diskette Controller", 1, 2};

const ControllerKind& kind_for(const Drive& drive) {
  if (drive.bus == "ide") return kIde;
  return drive.bus == "fdc" ? kFloppy : kScsi;
}

struct DriveWords {
  std::string_view title, sub_type;
  std::uint16_t resource_type;
};

DriveWords words_of(DriveKind kind) {
  switch (kind) {
    case DriveKind::kCdrom:
      return {"DVD Drive", "Microsoft:Hyper-V:Synthetic DVD Drive", 16};
    case DriveKind::kFloppy:
      return {"Diskette Drive", "Microsoft:Hyper-V:Synthetic Diskette Drive", 14};
    case DriveKind::kDisk:
      break;
  }
  return {"Hard Drive", "Microsoft:Hyper-V:Synthetic Disk Drive", 17};
}

// Gives each drive a place on a controller, in the order of the configuration; one on IDE or a floppy controller the
// one that its target names ("hdc").
class Places {
 public:
  std::size_t next(const Drive& drive) {
    const ControllerKind& kind = kind_for(drive);
    if (&kind == &kScsi) return scsi_++;
    const char last = drive.target.back();
    return last >= 'a' && last <= 'z' ? static_cast<std::size_t>(last - 'a') : 0;
  }

 private:
  std::size_t scsi_ = 0;
};

std::string controller_id(const MachineConfiguration& configuration, const ControllerKind& kind, std::size_t number) {
  return part_id(configuration, fmt::format("{}\\{}", kind.name, number));
}

cim::Instance controller(const MachineConfiguration& configuration, const ControllerKind& kind, std::size_t number) {
  cim::Instance made = part(kClass, controller_id(configuration, kind, number), kind.title);
  made.set("ResourceType", Value(kind.resource_type));
  made.set("ResourceSubType", Value(kind.sub_type));
  made.set("Address", Value(std::to_string(number)));
  return made;
}

cim::Instance drive_at(const MachineConfiguration& configuration, const Drive& drive, std::size_t place) {
  const ControllerKind& kind = kind_for(drive);
  const DriveWords words = words_of(drive.kind);
  cim::Instance made = part(kClass, part_id(configuration, drive.target + "\\D"), words.title);
  made.set("ResourceType", Value(words.resource_type));
  made.set("ResourceSubType", Value(words.sub_type));
  const std::string on = controller_id(configuration, kind, place / kind.places);
  made.set("Parent", Value(cim::to_text(path_of_part(kClass, on))));
  made.set("AddressOnParent", Value(std::to_string(place % kind.places)));
  return made;
}

}  // namespace

cim::ObjectPath path_of_drive(const MachineConfiguration& configuration, const Drive& drive) {
  return path_of_part(kClass, part_id(configuration, drive.target + "\\D"));
}

std::vector<cim::Instance> resource_allocation_settings(const MachineConfiguration& configuration) {
  std::map<std::string, cim::Instance> controllers;
  std::vector<cim::Instance> drives;
  Places places;
  for (const Drive& drive : configuration.hardware.drives) {
    const ControllerKind& kind = kind_for(drive);
    const std::size_t place = places.next(drive);
    const std::size_t number = place / kind.places;
    controllers.try_emplace(controller_id(configuration, kind, number), controller(configuration, kind, number));
    drives.push_back(drive_at(configuration, drive, place));
  }
  // Clients take a machine without any for one that they cannot read.
  if (controllers.empty()) return {controller(configuration, kScsi, 0)};
  std::vector<cim::Instance> all;
  for (auto& [id, each] : controllers) all.push_back(std::move(each));
  std::ranges::move(drives, std::back_inserter(all));
  return all;
}

}  // namespace cohort::provider
