#include "hypervisor/defined_disk.h"

#include "hypervisor/connection.h"
#include "hypervisor/disk_chains.h"
#include "hypervisor/domain_xml.h"
#include "hypervisor/driver.h"
#include "hypervisor/libvirt_error.h"
#include "hypervisor/qemu_view.h"

namespace cohort::hypervisor {
namespace {

// With secrets: the text is defined again.
constexpr unsigned int kWholeDefinition = VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE;

}  // namespace

Result<void> define_source(virDomainPtr domain, const std::string& machine, const std::string& target,
                           const Layer& source) {
  COHORT_ASSIGN(const std::string xml, domain_xml(domain, kWholeDefinition));
  COHORT_ASSIGN(const std::string edited, with_disk_source(xml, target, source));
  const DomainHandle defined(virDomainDefineXML(virDomainGetConnect(domain), edited.c_str()));
  if (defined) return {};
  return Failure{libvirt_error(fmt::format("The disk {} of \"{}\" cannot be set to \"{}\" in its configuration.",
                                           target, machine, source.path.string()))};
}

Result<void> Driver::define_as_it_runs(const MachineId& id, const std::string& target) {
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  const std::string name = virDomainGetName(domain.get());
  if (virDomainIsActive(domain.get()) != 1 || virDomainIsPersistent(domain.get()) != 1) {
    return fail(ErrorCode::kInvalidState, "The machine \"{}\" is off, or has no definition: there is nothing to mend.",
                name);
  }
  COHORT_ASSIGN(const DomainDescription running, hypervisor::describe(domain.get(), 0));
  const DomainDisk* disk = find_disk(running, target);
  if (disk == nullptr) return fail(ErrorCode::kNotFound, "The machine \"{}\" has no disk {}.", name, target);
  COHORT_ASSIGN(const QemuDisk actual, ask_qemu(domain.get(), name, *disk));
  return define_source(domain.get(), name, target, actual.chain.front());
}

}  // namespace cohort::hypervisor
