#include "provider/export_settings.h"

#include "cim/object_path.h"
#include "provider/parameters.h"

namespace cohort::provider {
namespace {

constexpr std::uint16_t kPreserveChain = 1;
constexpr std::uint16_t kMerge = 2;

// The id of the snapshot or reference point whose path is given as text; empty if none is.
Result<std::string> base_in(const cim::Instance* settings, std::string_view property) {
  const auto text = setting<std::string>(settings, property, "");
  if (text.empty()) return std::string();
  COHORT_ASSIGN(const auto path, cim::parse_object_path(text));
  if (!cim::same_name(path.class_name, "Msvm_SnapshotCollection") &&
      !cim::same_name(path.class_name, "Msvm_ReferencePointCollection")) {
    return fail(ErrorCode::kInvalidArgument, "{} is the path of a snapshot or reference point of a collection.",
                property);
  }
  COHORT_ASSIGN(const auto id, id_of<SnapshotId>(path, "CollectionID"));
  return id.str();
}

// True if the package is to stand alone whatever it is the difference from.
Result<bool> is_to_merge(const cim::Instance* settings) {
  const auto intent = setting(settings, "BackupIntent", kPreserveChain);
  if (intent != kPreserveChain && intent != kMerge) {
    return fail(ErrorCode::kInvalidArgument, "BackupIntent is 1 (preserve the chain) or 2 (merge), and not {}.",
                intent);
  }
  return intent == kMerge;
}

// VirtualMachinesToDisksToExport: of each machine the disks that are named, or all of it.
Result<std::vector<service::ChosenDisk>> disks_in(const cim::Instance* settings, const Snapshot& snapshot) {
  std::vector<service::ChosenDisk> chosen;
  if (settings == nullptr) return chosen;
  for (const auto& element : settings->at("VirtualMachinesToDisksToExport").elements()) {
    const auto* of_machine = std::get_if<cim::Shared<cim::Instance>>(&element);
    if (of_machine == nullptr) {
      return fail(ErrorCode::kInvalidArgument, "VirtualMachinesToDisksToExport holds Msvm_VirtualMachineToDisks.");
    }
    const auto id = setting<std::string>(&**of_machine, "VirtualMachineId", "");
    COHORT_ASSIGN(const auto machine, MachineId::parse(id));
    const auto& disks = (*of_machine)->at("DisksToExport").elements();
    for (const auto& disk : disks) {
      if (const auto* name = std::get_if<std::string>(&disk)) chosen.push_back({machine.str(), *name});
    }
    if (!disks.empty()) continue;
    for (const MemberSnapshot& member : snapshot.members) {
      if (member.machine != machine) continue;
      for (const DiskSnapshot& disk : member.disks) chosen.push_back({machine.str(), disk.target});
    }
  }
  return chosen;
}

}  // namespace

Result<service::ExportRequest> export_request_in(const MethodCall& call, const Snapshot& snapshot,
                                                 const ExportRoots& roots) {
  COHORT_ASSIGN(const std::string directory, text_of(call, "ExportDirectory"));
  COHORT_ASSIGN(const cim::Instance* settings, settings_of(call, "ExportSettingData"));
  service::ExportRequest request;
  request.snapshot = public_id(snapshot);
  request.is_reference_point = is_reference_point(snapshot);
  COHORT_ASSIGN(request.directory, roots.allowed(directory));
  const auto* const base = request.is_reference_point ? "BaseReferencePointCollection" : "DifferentialBackupBase";
  COHORT_ASSIGN(request.since_point, base_in(settings, base));
  COHORT_ASSIGN(request.is_merged, is_to_merge(settings));
  request.subdirectory = setting(settings, "CreateVmExportSubdirectory", false);
  request.no_storage = !setting(settings, "CopyVmStorage", true);
  COHORT_ASSIGN(request.disks, disks_in(settings, snapshot));
  return request;
}

}  // namespace cohort::provider
