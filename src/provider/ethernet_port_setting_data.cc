#include "provider/ethernet_port_setting_data.h"

#include <algorithm>

#include "cim/object_path.h"
#include "provider/machine_part.h"
#include "provider/paths.h"

namespace cohort::provider {
namespace {

using cim::Value;

constexpr std::string_view kPort = "Msvm_SyntheticEthernetPortSettingData";
constexpr std::string_view kConnection = "Msvm_EthernetPortAllocationSettingData";
constexpr std::uint16_t kEnabled = 2;
constexpr std::uint16_t kDisabled = 3;

// "525400123456", as Hyper-V writes it.
std::string address_of(const NetworkCard& card) {
  std::string digits = upper(card.mac);
  std::erase(digits, ':');
  return digits;
}

cim::Instance port(const MachineConfiguration& configuration, const NetworkCard& card) {
  cim::Instance made = part(kPort, part_id(configuration, address_of(card)), "Network Adapter");
  made.set("Address", Value(address_of(card)));
  made.set("StaticMacAddress", Value(true));
  return made;
}

cim::Instance connection(const MachineConfiguration& configuration, const NetworkCard& card) {
  const std::string id = part_id(configuration, address_of(card));
  cim::Instance made = part(kConnection, id + "\\C", "Ethernet Connection");
  made.set("ResourceSubType", Value("Microsoft:Hyper-V:Ethernet Connection"));
  made.set("Parent", Value(cim::to_text(path_of_part(kPort, id))));
  made.set("EnabledState", Value(card.is_cable_in ? kEnabled : kDisabled));
  if (!card.connection.empty()) made.set("LastKnownSwitchName", Value(card.connection));
  return made;
}

using Maker = cim::Instance (*)(const MachineConfiguration& configuration, const NetworkCard& card);

std::vector<cim::Instance> for_each_card(const MachineConfiguration& configuration, Maker make) {
  std::vector<cim::Instance> all;
  for (const NetworkCard& card : configuration.hardware.cards) all.push_back(make(configuration, card));
  return all;
}

}  // namespace

std::vector<cim::Instance> synthetic_ethernet_port_settings(const MachineConfiguration& configuration) {
  return for_each_card(configuration, port);
}

std::vector<cim::Instance> ethernet_port_allocation_settings(const MachineConfiguration& configuration) {
  return for_each_card(configuration, connection);
}

}  // namespace cohort::provider
