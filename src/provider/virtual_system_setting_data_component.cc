#include "provider/virtual_system_setting_data_component.h"

#include <algorithm>
#include <utility>

#include "provider/machine_part.h"
#include "provider/paths.h"

namespace cohort::provider {
namespace {

void add_pairs(const MachineConfiguration& configuration, std::vector<cim::Instance>& pairs) {
  for (const PartClass& of : part_classes()) {
    for (const auto& part : of.parts(configuration)) {
      const auto& id = *part.at("InstanceID").get_if<std::string>();
      pairs.push_back(pair_of("Msvm_VirtualSystemSettingDataComponent", "GroupComponent", configuration.path,
                              "PartComponent", path_of_part(of.name, id)));
    }
  }
}

bool refers_to(const cim::Instance& pair, const cim::ObjectPath& end) {
  return std::ranges::any_of(pair.properties,
                             [&](const auto& each) { return cim::same_instance(*each.value.reference(), end); });
}

}  // namespace

Result<std::vector<cim::Instance>> VirtualSystemSettingDataComponentProvider::instances() {
  COHORT_ASSIGN(const auto configurations, configurations_.all());
  std::vector<cim::Instance> all;
  for (const auto& configuration : configurations) add_pairs(configuration, all);
  return all;
}

Result<std::vector<cim::Instance>> VirtualSystemSettingDataComponentProvider::referring_to(const cim::ObjectPath& end) {
  std::vector<cim::Instance> pairs;
  const auto key = configuration_key(end);
  if (!key) return pairs;
  COHORT_ASSIGN(const auto configuration, configurations_.find(*key));
  if (configuration) add_pairs(*configuration, pairs);
  std::erase_if(pairs, [&](const auto& pair) { return !refers_to(pair, end); });
  return pairs;
}

}  // namespace cohort::provider
