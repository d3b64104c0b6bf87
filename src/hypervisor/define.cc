// Import: machines are defined, started and removed.
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <system_error>
#include <thread>

#include "base/kill_point.h"
#include "hypervisor/configuration_check.h"
#include "hypervisor/define.h"
#include "hypervisor/domain_xml.h"
#include "hypervisor/driver.h"
#include "hypervisor/import_mark.h"
#include "hypervisor/libvirt_error.h"
#include "hypervisor/state_files.h"
#include "hypervisor/xml_document.h"

namespace cohort::hypervisor {
namespace {

// The NVRAM file was put in place by the import and is removed by it.
constexpr unsigned int kUndefineFlags = VIR_DOMAIN_UNDEFINE_MANAGED_SAVE | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
                                        VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM;

constexpr int kLooksAtAnEnd = 20;
constexpr std::chrono::milliseconds kBetweenLooks(100);

struct Owner {
  uid_t user = 0;
  gid_t group = 0;
};

std::optional<Owner> owner_of(const Path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return Owner{status.st_uid, status.st_gid};
}

// Of the state that libvirt has made for other machines.
std::optional<Owner> owner_of_other_state(const Path& storage) {
  std::error_code ignored;
  for (const auto& machine : std::filesystem::directory_iterator(storage, ignored)) {
    for (const char* version : {"tpm2", "tpm1.2"}) {
      if (const auto owner = owner_of(machine.path() / version)) return owner;
    }
  }
  return std::nullopt;
}

// libvirt's default for swtpm_user, and what Debian's package of swtpm may use instead.
std::optional<Owner> owner_by_name() {
  for (const char* name : {"tss", "swtpm"}) {
    std::array<char, 4096> buffer{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwnam_r(name, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) {
      return Owner{found->pw_uid, found->pw_gid};
    }
  }
  return std::nullopt;
}

Result<void> check_name_free(virConnectPtr connection, const std::string& name) {
  const DomainHandle existing(virDomainLookupByName(connection, name.c_str()));
  if (existing) return fail(ErrorCode::kAlreadyExists, "There is a machine \"{}\" already.", name);
  if (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN) return {};
  return Failure{libvirt_error(fmt::format("The machine \"{}\" cannot be looked up.", name))};
}

// libvirt would take a definition with a known UUID and name as a change of that machine.
Result<void> check_id_free(ConnectionPool& connections, const MachineId& id) {
  const auto existing = connections.domain(id);
  if (existing) {
    return fail(ErrorCode::kAlreadyExists, "The machine \"{}\" has the UUID {} already.",
                virDomainGetName(existing->get()), id.str());
  }
  if (existing.error().code == ErrorCode::kNotFound) return {};
  return Failure{existing.error()};
}

Result<void> destroy(virDomainPtr domain) {
  if (virDomainIsActive(domain) != 1 || virDomainDestroy(domain) == 0) return {};
  const Error error = machine_error(domain, "The machine \"{}\" cannot be stopped.");
  // It may have stopped by itself meanwhile.
  if (virDomainIsActive(domain) != 1) return {};
  return Failure{error};
}

// A throw-away machine that libvirt is ending has no definition to remove, and is gone in a moment.
Result<void> undefine_or_see_gone(virDomainPtr domain) {
  for (int looks = kLooksAtAnEnd;; --looks) {
    auto done = undefine(domain);
    if (done || done.error().code != ErrorCode::kInvalidState || looks == 0) return done;
    if (virDomainIsPersistent(domain) == 1 || virDomainIsActive(domain) == 1) return done;
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

Failure is_on(virDomainPtr domain) {
  return fail(ErrorCode::kInvalidState, "The machine \"{}\" runs: its definition was not removed.",
              virDomainGetName(domain));
}

}  // namespace

Result<void> undefine(virDomainPtr domain) {
  if (virDomainUndefineFlags(domain, kUndefineFlags) == 0) return {};
  const Error error = machine_error(domain, "The machine \"{}\" cannot be removed.");
  if (error.code == ErrorCode::kNotFound) return {};
  // Drivers without saved states know no flags.
  if (virDomainUndefine(domain) == 0) return {};
  return Failure{error};
}

Result<void> define_new(ConnectionPool& connections, const std::string& name, const MachineId& id,
                        const std::string& definition) {
  COHORT_ASSIGN(const ConnectionHandle connection, connections.any());
  COHORT_TRY(check_name_free(connection.get(), name));
  COHORT_TRY(check_id_free(connections, id));
  const DomainHandle domain(virDomainDefineXML(connection.get(), definition.c_str()));
  if (domain) return {};
  return Failure{libvirt_error(fmt::format("The machine \"{}\" cannot be defined.", name))};
}

Result<void> Driver::check_configuration(const std::string& configuration, const std::set<RefusalKind>& trusted) {
  return hypervisor::check_configuration(configuration, trusted);
}

Result<service::MachineOutline> Driver::outline_of(const std::string& configuration) {
  COHORT_ASSIGN(const DomainDescription description, read_domain(configuration));
  service::MachineOutline outline{description.id, description.name, {}, description.has_agent_channel};
  for (const DomainDisk& disk : description.disks) {
    if (disk.left_out_reason() != LeftOutReason::kCdrom) outline.disks.push_back(disk.target);
  }
  return outline;
}

Result<MachineId> Driver::define_machine(const service::DefineMachineRequest& request) {
  COHORT_TRY(check_disks_reachable());
  const MachineId id = request.id ? *request.id : request.new_id.value_or(MachineId::generate());
  COHORT_ASSIGN(std::string definition, definition_for_import(request, id));
  COHORT_ASSIGN(definition, with_import_mark(definition, request.mark));
  COHORT_TRY(define_new(*connections_, request.name, id, definition));
  kill_point("define.after_define");
  return id;
}

Result<std::vector<Path>> Driver::port_files(const service::DefineMachineRequest& request) {
  COHORT_ASSIGN(const std::string definition,
                definition_for_import(request, request.id.value_or(MachineId::generate())));
  COHORT_ASSIGN(const auto document, xml::Document::parse(definition, "domain"));
  std::vector<Path> files;
  for (const std::string_view kind : {"serial", "parallel", "console", "channel"}) {
    for (const xmlNode* device : xml::select(document.root(), {"devices", kind})) {
      if (!xml::has_value(device, "type", "file")) continue;
      Path file = xml::attribute_or(xml::child(device, "source"), "path", "");
      // A console shows the file of its serial port.
      if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(std::move(file));
    }
  }
  return files;
}

Result<void> Driver::write_tpm_state(const MachineId& id, const std::vector<service::MachineStateFiles::File>& files) {
  COHORT_TRY(check_disks_reachable());
  auto owner = owner_of_other_state(tpm_storage(kind_));
  if (!owner) owner = owner_by_name();
  if (!owner && !kind_.is_session) {
    return fail(ErrorCode::kUnsupported, "Nobody is there to own the TPM state: install swtpm.");
  }
  return write_tpm_files(files, tpm_state_folder(id), owner.value_or(Owner{}).user, owner.value_or(Owner{}).group);
}

Result<service::DefinedMachine> Driver::defined_machine(const MachineId& id) {
  COHORT_ASSIGN(const auto domain, connections_->domain(id));
  const bool is_persistent = virDomainIsPersistent(domain.get()) == 1;
  COHORT_ASSIGN(const std::string xml, domain_xml(domain.get(), is_persistent ? VIR_DOMAIN_XML_INACTIVE : 0));
  COHORT_ASSIGN(const DomainDescription description, read_domain(xml));
  service::DefinedMachine machine;
  machine.name = description.name;
  machine.is_active = virDomainIsActive(domain.get()) == 1;
  COHORT_ASSIGN(machine.mark, import_mark_in(xml));
  for (const DomainDisk& disk : description.disks) {
    if (!disk.source.empty()) machine.disks.push_back(disk.source);
  }
  return machine;
}

Result<void> Driver::stop(const MachineId& id) {
  const auto domain = connections_->domain(id);
  if (!domain && domain.error().code == ErrorCode::kNotFound) return {};
  if (!domain) return Failure{domain.error()};
  return destroy(domain->get());
}

Result<void> Driver::undefine_machine(const MachineId& id) {
  const auto domain = connections_->domain(id);
  if (!domain && domain.error().code == ErrorCode::kNotFound) return {};
  if (!domain) return Failure{domain.error()};
  if (virDomainIsActive(domain->get()) == 1) return is_on(domain->get());
  const auto definition = domain_xml(domain->get(), VIR_DOMAIN_XML_INACTIVE);
  if (!definition && definition.error().code == ErrorCode::kNotFound) return {};
  if (!definition) return Failure{definition.error()};
  COHORT_TRY(undefine_or_see_gone(domain->get()));
  if (virDomainIsActive(domain->get()) != 1) return {};
  // Started since it was looked at: it runs on, and would be gone with its stop.
  COHORT_ASSIGN(const ConnectionHandle connection, connections_->any());
  const DomainHandle again(virDomainDefineXML(connection.get(), definition->c_str()));
  if (!again) return Failure{machine_error(domain->get(), "The machine \"{}\" runs, and has lost its definition.")};
  return is_on(domain->get());
}

}  // namespace cohort::hypervisor
