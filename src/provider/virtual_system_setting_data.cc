#include "provider/virtual_system_setting_data.h"

#include <algorithm>
#include <utility>

#include "cim/object_path.h"
#include "provider/found.h"
#include "provider/paths.h"

namespace cohort::provider {
namespace {

using cim::Value;

// AutomaticStartupAction.
constexpr std::uint16_t kNoStart = 2;
constexpr std::uint16_t kAlwaysStart = 4;

// NetworkBootPreferredProtocol: firmware of QEMU asks over IPv4 first.
constexpr std::uint16_t kIpv4 = 4096;

std::uint16_t boot_number(BootDevice device) {
  switch (device) {
    case BootDevice::kFloppy:
      return 0;
    case BootDevice::kCdrom:
      return 1;
    case BootDevice::kDisk:
      return 2;
    case BootDevice::kNetwork:
      return 3;
  }
  return 2;
}

// As Windows names architectures; others stay QEMU's.
std::string architecture_of(const MachineHardware& hardware) {
  if (hardware.architecture == "x86_64") return "x64";
  if (hardware.architecture == "i686") return "x86";
  if (hardware.architecture == "aarch64") return "ARM64";
  return hardware.architecture;
}

void add_firmware(cim::Instance& settings, const MachineHardware& hardware) {
  const std::string uuid = upper(hardware.id.str());
  settings.set("BIOSGUID", Value("{" + uuid + "}"));
  settings.set("Architecture", Value(architecture_of(hardware)));
  settings.set("Version", Value(hardware.machine_type));
  settings.set("VirtualSystemSubType", Value(sub_type_of(hardware)));
  settings.set("SecureBootEnabled", Value(hardware.has_secure_boot));
  std::vector<std::uint16_t> order;
  for (const BootDevice device : hardware.boot_order) order.push_back(boot_number(device));
  settings.set("BootOrder", Value::array_of(order));
  settings.set("NetworkBootPreferredProtocol", Value(kIpv4));
  settings.set("PauseAfterBootFailure", Value(false));
}

void add_snapshot(cim::Instance& settings, const MachineConfiguration::Taken& taken) {
  const bool is_standard = taken.kind == SnapshotKind::kStandard;
  settings.set("VirtualSystemType",
               Value(is_standard ? "Microsoft:Hyper-V:Snapshot:Realized" : "Microsoft:Hyper-V:Snapshot:Recovery"));
  settings.set("ElementName", Value(taken.name));
  settings.set("CreationTime", Value(cim::Datetime::at(taken.instant)));
  settings.set("ConfigurationID", Value(upper(taken.id.str())));
  if (taken.parent) settings.set("Parent", Value(cim::to_text(*taken.parent)));
  settings.set("IsSaved", Value(false));
  settings.set("IsAutomaticSnapshot", Value(false));
}

std::string text_of(const Value& notes) {
  std::vector<std::string> lines;
  for (const cim::Element& each : notes.elements()) {
    const auto* const line = std::get_if<std::string>(&each);
    if (line != nullptr) lines.push_back(*line);
  }
  return fmt::format("{}", fmt::join(lines, "\n"));
}

}  // namespace

std::string sub_type_of(const MachineHardware& hardware) {
  return hardware.has_uefi ? "Microsoft:Hyper-V:SubType:2" : "Microsoft:Hyper-V:SubType:1";
}

cim::Instance virtual_system_settings(const MachineConfiguration& configuration) {
  const MachineHardware& hardware = configuration.hardware;
  cim::Instance settings;
  settings.class_name = "Msvm_VirtualSystemSettingData";
  settings.set("InstanceID", Value(configuration.settings_id));
  settings.set("VirtualSystemIdentifier", Value(upper(hardware.id.str())));
  if (!hardware.description.empty()) settings.set("Notes", Value::array_of(std::vector{hardware.description}));
  settings.set("AutomaticSnapshotsEnabled", Value(false));
  // Nothing has to be switched on first. Backup tools look, and do not reckon with NULL.
  settings.set("IncrementalBackupEnabled", Value(true));
  add_firmware(settings, hardware);
  if (configuration.taken) {
    add_snapshot(settings, *configuration.taken);
    return settings;
  }
  settings.set("VirtualSystemType", Value("Microsoft:Hyper-V:System:Realized"));
  settings.set("ElementName", Value(hardware.name));
  settings.set("ConfigurationID", Value(upper(hardware.id.str())));
  return settings;
}

Result<std::optional<cim::Instance>> VirtualSystemSettingDataProvider::settings(
    const MachineConfiguration& configuration) {
  cim::Instance settings = virtual_system_settings(configuration);
  if (configuration.taken) return settings;
  COHORT_ASSIGN(const auto condition, if_found(machines_.condition(configuration.hardware.id)));
  if (!condition) return std::nullopt;
  settings.set("AutomaticStartupAction", Value(condition->starts_with_host ? kAlwaysStart : kNoStart));
  settings.set("IsSaved", Value(condition->activity == MachineActivity::kSaved));
  return settings;
}

Result<std::vector<cim::Instance>> VirtualSystemSettingDataProvider::instances() {
  COHORT_ASSIGN(const auto configurations, configurations_.all());
  std::vector<cim::Instance> all;
  for (const auto& configuration : configurations) {
    COHORT_ASSIGN(auto one, settings(configuration));
    if (one) all.push_back(*std::move(one));
  }
  return all;
}

Result<void> VirtualSystemSettingDataProvider::name_all(const std::function<void(const cim::Instance&)>& take) {
  COHORT_ASSIGN(const auto ids, configurations_.settings_ids());
  for (const std::string& each : ids) {
    cim::Instance named;
    named.class_name = class_name();
    named.set("InstanceID", Value(each));
    take(named);
  }
  return {};
}

Result<std::optional<cim::Instance>> VirtualSystemSettingDataProvider::find(const cim::ObjectPath& path) {
  const auto key = configuration_key(path);
  if (!key) return std::nullopt;
  COHORT_ASSIGN(const auto configuration, configurations_.find(*key));
  const auto is_part = path.key("InstanceID")->get_if<std::string>()->find('\\') != std::string::npos;
  if (!configuration || is_part) return std::nullopt;
  return settings(*configuration);
}

Result<void> VirtualSystemSettingDataProvider::modify(const cim::Instance& changed, const Caller& /*caller*/) {
  const auto key = configuration_key(changed.path);
  if (!key || key->snapshot) {
    return fail(ErrorCode::kUnsupported, "What a snapshot keeps of a machine stays as it was.");
  }
  const auto other = std::ranges::find_if(
      changed.properties, [](const cim::NamedValue& property) { return !cim::same_name(property.name, "Notes"); });
  if (other != changed.properties.end()) {
    return fail(ErrorCode::kUnsupported,
                "{} of a machine cannot be changed here: Notes can, all else with `virsh edit`.", other->name);
  }
  return machines_.describe(key->machine, text_of(changed.at("Notes")));
}

}  // namespace cohort::provider
