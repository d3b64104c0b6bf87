#include "provider/machine_part.h"

#include "cim/schema.h"
#include "provider/ethernet_port_setting_data.h"
#include "provider/memory_setting_data.h"
#include "provider/processor_setting_data.h"
#include "provider/resource_allocation_setting_data.h"
#include "provider/storage_allocation_setting_data.h"

namespace cohort::provider {

const std::vector<PartClass>& part_classes() {
  static const std::vector<PartClass> kClasses = {
      {"Msvm_MemorySettingData", memory_settings},
      {"Msvm_ProcessorSettingData", processor_settings},
      {"Msvm_StorageAllocationSettingData", storage_allocation_settings},
      {"Msvm_ResourceAllocationSettingData", resource_allocation_settings},
      {"Msvm_SyntheticEthernetPortSettingData", synthetic_ethernet_port_settings},
      {"Msvm_EthernetPortAllocationSettingData", ethernet_port_allocation_settings},
  };
  return kClasses;
}

std::string part_id(const MachineConfiguration& configuration, std::string_view name) {
  return fmt::format("{}\\{}", configuration.settings_id, name);
}

cim::ObjectPath path_of_part(std::string_view class_name, const std::string& instance_id) {
  cim::ObjectPath path;
  path.namespace_name = cim::kVirtualizationNamespace;
  path.class_name = class_name;
  path.keys = {{"InstanceID", cim::Value(instance_id)}};
  return path;
}

cim::Instance part(std::string_view class_name, const std::string& instance_id, std::string_view element_name) {
  cim::Instance instance;
  instance.class_name = class_name;
  instance.set("InstanceID", cim::Value(instance_id));
  instance.set("ElementName", cim::Value(element_name));
  return instance;
}

Result<std::vector<cim::Instance>> MachinePartProvider::instances() {
  std::vector<cim::Instance> all;
  COHORT_TRY(name_all([&](const cim::Instance& each) { all.push_back(each); }));
  return all;
}

Result<void> MachinePartProvider::name_all(const std::function<void(const cim::Instance&)>& take) {
  return configurations_.visit([&](const MachineConfiguration& configuration) {
    for (const auto& each : class_.parts(configuration)) take(each);
  });
}

Result<std::optional<cim::Instance>> MachinePartProvider::find(const cim::ObjectPath& path) {
  const auto key = configuration_key(path);
  if (!key) return std::nullopt;
  COHORT_ASSIGN(const auto configuration, configurations_.find(*key));
  if (!configuration) return std::nullopt;
  const auto& wanted = *path.key("InstanceID")->get_if<std::string>();
  for (auto& each : class_.parts(*configuration)) {
    if (cim::same_name(*each.at("InstanceID").get_if<std::string>(), wanted)) return std::move(each);
  }
  return std::nullopt;
}

}  // namespace cohort::provider
