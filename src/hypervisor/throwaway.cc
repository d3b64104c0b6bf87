// Try: machines that leave nothing behind, their network, and what is to be seen of them.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <memory>

#include "base/kill_point.h"
#include "hypervisor/define.h"
#include "hypervisor/domain_xml.h"
#include "hypervisor/driver.h"
#include "hypervisor/guest_agent.h"
#include "hypervisor/import_mark.h"
#include "hypervisor/libvirt_error.h"
#include "hypervisor/machine_ends.h"
#include "hypervisor/throwaway_xml.h"
#include "hypervisor/xml_document.h"

namespace cohort::hypervisor {
namespace {

struct NetworkFreer {
  void operator()(virNetwork* network) const { virNetworkFree(network); }
};
using NetworkHandle = std::unique_ptr<virNetwork, NetworkFreer>;

// QEMU gets copies of the descriptors when it starts.
Result<void> hand_over(virDomainPtr domain, const service::ThrowawayMachine& machine) {
  for (std::size_t i = 0; i < machine.backing.size(); ++i) {
    for (std::size_t layer = 0; layer < machine.backing[i].size(); ++layer) {
      int fd = machine.backing[i][layer].fd;
      const std::string group = backing_group(machine.definition.disks.at(i).target, layer);
      if (virDomainFDAssociate(domain, group.c_str(), 1, &fd, 0) == 0) continue;
      return Failure{machine_error(domain, "The disks of the package cannot be handed over to the machine \"{}\".")};
    }
  }
  return {};
}

Result<std::string> definition_of(const service::ThrowawayMachine& machine, const MachineId& id) {
  COHORT_ASSIGN(std::string definition, definition_for_import(machine.definition, id));
  COHORT_ASSIGN(definition, definition_for_try(definition, machine));
  return with_import_mark(definition, machine.definition.mark);
}

std::string network_xml(const NetworkId& id, const std::string& name) {
  const auto document = xml::Document::create("network");
  xml::set_text(xml::add_child(document.root(), "name"), name);
  xml::set_text(xml::add_child(document.root(), "uuid"), id.str());
  return document.str();
}

}  // namespace

// Only a machine that is defined can be handed descriptors; once it runs, it needs its definition no longer.
Result<void> Driver::start_throwaway(const service::ThrowawayMachine& machine) {
  COHORT_TRY(check_disks_reachable());
  const MachineId id = machine.definition.new_id.value();
  COHORT_ASSIGN(const std::string definition, definition_of(machine, id));
  COHORT_TRY(define_new(*connections_, machine.definition.name, id, definition));
  kill_point("throwaway.defined");
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  COHORT_TRY(hand_over(domain.get(), machine));
  if (virDomainCreateWithFlags(domain.get(), VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY) != 0) {
    return Failure{machine_error(domain.get(), "The machine \"{}\" cannot be started.")};
  }
  kill_point("throwaway.started");
  return undefine(domain.get());
}

Result<std::unique_ptr<service::EndWatch>> Driver::watch_ends(const std::vector<MachineId>& machines) {
  COHORT_ASSIGN(ConnectionHandle connection, connections_->any());
  return watch_life_cycles(std::move(connection), machines);
}

Result<bool> Driver::agent_answers(const MachineId& id) {
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  return hypervisor::agent_answers(domain.get());
}

Result<void> Driver::create_isolated_network(const NetworkId& id, const std::string& name) {
  COHORT_ASSIGN(const ConnectionHandle connection, connections_->any());
  const NetworkHandle network(virNetworkCreateXML(connection.get(), network_xml(id, name).c_str()));
  if (network) return {};
  return Failure{libvirt_error("This host cannot make an isolated network; --network none needs none.")};
}

Result<bool> Driver::remove_network(const NetworkId& id) {
  COHORT_ASSIGN(const ConnectionHandle connection, connections_->any());
  const NetworkHandle network(virNetworkLookupByUUIDString(connection.get(), id.str().c_str()));
  if (!network && virGetLastErrorCode() == VIR_ERR_NO_NETWORK) return false;
  if (!network) return Failure{libvirt_error(fmt::format("The network {} cannot be looked up.", id.str()))};
  if (virNetworkDestroy(network.get()) == 0) return true;
  return Failure{libvirt_error(fmt::format("The network {} cannot be removed.", id.str()))};
}

}  // namespace cohort::hypervisor
