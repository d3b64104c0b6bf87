#include "provider/export_settings.h"

#include <algorithm>

#include "cim/object_path.h"
#include "provider/parameters.h"

namespace cohort::provider {
namespace {

constexpr std::uint16_t kPreserveChain = 1;
constexpr std::uint16_t kMerge = 2;

// A snapshot or reference point that is whole.
Result<Snapshot> point_of(const cim::ObjectPath& path, service::StateStore& state) {
  COHORT_ASSIGN(const auto id, id_of<SnapshotId>(path, "CollectionID"));
  COHORT_ASSIGN(const auto all, state.snapshots());
  const auto found = std::ranges::find_if(
      all, [&](const Snapshot& each) { return each.state == SnapshotState::kReady && public_id(each) == id.str(); });
  if (found == all.end()) return fail(ErrorCode::kNotFound, "There is no {}.", cim::to_local_text(path));
  return *found;
}

// The id of the snapshot or reference point whose path is given as text; empty if none is.
Result<std::string> base_in(const cim::Instance* settings, std::string_view property, const Snapshot& snapshot,
                            service::StateStore& state) {
  const auto text = setting<std::string>(settings, property, "");
  if (text.empty()) return std::string();
  COHORT_ASSIGN(const auto path, cim::parse_object_path(text));
  if (!cim::same_name(path.class_name, "Msvm_SnapshotCollection") &&
      !cim::same_name(path.class_name, "Msvm_ReferencePointCollection")) {
    return fail(ErrorCode::kInvalidArgument, "{} is the path of a snapshot or reference point of a collection.",
                property);
  }
  COHORT_ASSIGN(const Snapshot base, point_of(path, state));
  if (base.collection == snapshot.collection && base.instant < snapshot.instant) return public_id(base);
  return fail(ErrorCode::kInvalidArgument,
              "{}: the {} \"{}\" is not an earlier one of the collection \"{}\", of which \"{}\" is.", property,
              noun_of(base.kind), base.name, snapshot.collection_name, snapshot.name);
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

// Msvm_VirtualMachineToDisks: the disks that it names of a machine, or the whole machine.
Result<void> add_disks(const cim::Instance& of_machine, std::vector<service::ChosenDisk>& chosen) {
  COHORT_ASSIGN(const auto machine, MachineId::parse(setting<std::string>(&of_machine, "VirtualMachineId", "")));
  const auto& disks = of_machine.at("DisksToExport").elements();
  if (disks.empty()) chosen.push_back({machine.str(), ""});
  for (const auto& disk : disks) {
    const auto* name = std::get_if<std::string>(&disk);
    if (name == nullptr || name->empty()) {
      return fail(ErrorCode::kInvalidArgument, "DisksToExport names a disk in each of its elements; one is empty.");
    }
    chosen.push_back({machine.str(), *name});
  }
  return {};
}

// VirtualMachinesToDisksToExport; all that is named is in the snapshot.
Result<std::vector<service::ChosenDisk>> disks_in(const cim::Instance* settings, const Snapshot& snapshot) {
  std::vector<service::ChosenDisk> chosen;
  if (settings == nullptr) return chosen;
  for (const auto& element : settings->at("VirtualMachinesToDisksToExport").elements()) {
    const auto* of_machine = std::get_if<cim::Shared<cim::Instance>>(&element);
    if (of_machine == nullptr) {
      return fail(ErrorCode::kInvalidArgument, "VirtualMachinesToDisksToExport holds Msvm_VirtualMachineToDisks.");
    }
    COHORT_TRY(add_disks(**of_machine, chosen));
  }
  COHORT_TRY(service::with_disks(snapshot, chosen));
  return chosen;
}

}  // namespace

Result<service::ExportRequest> export_request_in(const MethodCall& call, const Snapshot& snapshot,
                                                 service::StateStore& state, const ExportRoots& roots) {
  COHORT_ASSIGN(const std::string directory, text_of(call, "ExportDirectory"));
  COHORT_ASSIGN(const cim::Instance* settings, settings_of(call, "ExportSettingData"));
  service::ExportRequest request;
  request.snapshot = public_id(snapshot);
  request.is_reference_point = is_reference_point(snapshot);
  COHORT_ASSIGN(request.directory, roots.allowed(directory));
  const auto* const base = request.is_reference_point ? "BaseReferencePointCollection" : "DifferentialBackupBase";
  COHORT_ASSIGN(request.since_point, base_in(settings, base, snapshot, state));
  COHORT_ASSIGN(request.is_merged, is_to_merge(settings));
  request.subdirectory = setting(settings, "CreateVmExportSubdirectory", false);
  request.no_storage = !setting(settings, "CopyVmStorage", true);
  if (request.no_storage && !request.since_point.empty()) {
    return fail(ErrorCode::kInvalidArgument,
                "Without storage (CopyVmStorage) there is nothing to be a difference: leave out {}.", base);
  }
  COHORT_ASSIGN(request.disks, disks_in(settings, snapshot));
  return request;
}

}  // namespace cohort::provider
