#include "hypervisor/driver.h"

#include <libvirt/virterror.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "hypervisor/guest_agent.h"
#include "hypervisor/libvirt_error.h"
#include "hypervisor/libvirt_hypervisor.h"
#include "hypervisor/memory.h"
#include "hypervisor/merge.h"
#include "hypervisor/overlay_file.h"
#include "hypervisor/pauses.h"
#include "hypervisor/power.h"

namespace cohort::hypervisor {
namespace {

// libvirtd is restarted once, not all the time.
constexpr int kLossesEndured = 3;

// libvirt counts versions as major * 1,000,000 + minor * 1,000 + release.
std::string version_text(unsigned long version) {
  return fmt::format("{}.{}.{}", version / 1000000, version / 1000 % 1000, version % 1000);
}

std::string text_or_empty(char* text) {
  const OwnedText owned(text);
  return owned ? owned.get() : "";
}

DriverKind kind_of(virConnectPtr connection) {
  const char* type = virConnectGetType(connection);
  return driver_kind(type == nullptr ? "" : type, text_or_empty(virConnectGetURI(connection)));
}

}  // namespace

Result<std::unique_ptr<service::Hypervisor>> open_libvirt(const std::string& uri) {
  COHORT_ASSIGN(auto connections, ConnectionPool::open(uri));
  COHORT_ASSIGN(const ConnectionHandle connection, connections->any());
  return std::make_unique<Driver>(std::move(connections), kind_of(connection.get()));
}

Driver::Driver(std::unique_ptr<ConnectionPool> connections, DriverKind kind)
    : connections_(std::move(connections)), kind_(std::move(kind)) {}

Result<service::HostInfo> Driver::host() {
  COHORT_ASSIGN(const ConnectionHandle connection, connections_->any());
  unsigned long hypervisor = 0;
  unsigned long library = 0;
  if (virConnectGetVersion(connection.get(), &hypervisor) != 0 ||
      virConnectGetLibVersion(connection.get(), &library) != 0) {
    return Failure{libvirt_error("The version of the hypervisor cannot be read.")};
  }
  return service::HostInfo{connections_->uri(),
                           kind_.name,
                           version_text(hypervisor),
                           version_text(library),
                           text_or_empty(virConnectGetHostname(connection.get())),
                           kind_.can_snapshot(),
                           kind_.is_qemu()};
}

Result<std::vector<MachineSummary>> Driver::machines() {
  COHORT_ASSIGN(const ConnectionHandle connection, connections_->any());
  COHORT_ASSIGN(const auto domains, list_domains(connection.get()));
  std::vector<MachineSummary> summaries;
  for (const DomainHandle& domain : domains) {
    auto summary = summary_of(domain.get());
    // One that has vanished since the list was made is no machine of this host.
    if (!summary && summary.error().code == ErrorCode::kNotFound) continue;
    COHORT_TRY(summary);
    summaries.push_back(*std::move(summary));
  }
  std::sort(summaries.begin(), summaries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return summaries;
}

Result<MachineSummary> Driver::find_machine(std::string_view name_or_uuid) {
  COHORT_ASSIGN(const ConnectionHandle connection, connections_->any());
  const std::string name(name_or_uuid);
  DomainHandle domain(virDomainLookupByName(connection.get(), name.c_str()));
  if (domain) return summary_of(domain.get());
  if (const Error error = libvirt_error(""); error.code != ErrorCode::kNotFound) {
    return Failure{libvirt_error(fmt::format("The machine \"{}\" cannot be looked up.", name))};
  }
  if (const auto id = MachineId::parse(name)) return machine(*id);
  return fail(ErrorCode::kNotFound, "There is no machine \"{}\" on this host: see cohort vm list.", name);
}

Result<MachineSummary> Driver::machine(const MachineId& id) {
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  return summary_of(domain.get());
}

Result<void> Driver::check_disks_reachable() const {
  if (kind_.can_snapshot()) return {};
  if (kind_.is_qemu()) {
    return fail(ErrorCode::kUnsupported, "The disks behind {} are on another host: run Cohort there.",
                connections_->uri());
  }
  return fail(ErrorCode::kUnsupported, "libvirt's driver \"{}\" has no disks on this host; Cohort needs QEMU.",
              kind_.name);
}

Result<void> Driver::create_overlay(const DiskSnapshot& disk) {
  COHORT_TRY(check_disks_reachable());
  return create_overlay_file(disk);
}

Result<std::unique_ptr<service::PauseWatch>> Driver::watch_pauses(const std::vector<MachineId>& machines) {
  if (!kind_.is_qemu()) return watch_nothing();
  COHORT_ASSIGN(ConnectionHandle connection, connections_->any());
  return watch_qemu_events(std::move(connection), machines);
}

Result<void> Driver::suspend(const MachineId& id) {
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  COHORT_ASSIGN(const DomainState state, state_of(domain.get()));
  // libvirt would call it a success that a machine stands still already, and nobody would know who has to resume it.
  if (!state.is_running()) {
    return fail(ErrorCode::kInvalidState, "The machine \"{}\" does not run: it is {}.", virDomainGetName(domain.get()),
                state.words());
  }
  if (virDomainSuspend(domain.get()) != 0)
    return Failure{machine_error(domain.get(), "The machine \"{}\" cannot be suspended.")};
  return {};
}

Result<void> Driver::resume(const MachineId& id) {
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  COHORT_ASSIGN(const DomainState state, settled_state_of(domain.get()));
  if (state.is_running() || state.power() == PowerState::kOff) return {};
  if (!state.is_paused_by_user() && !was_restored(domain.get(), state)) {
    return fail(ErrorCode::kInvalidState, "The machine \"{}\" is {}: it is not resumed.",
                virDomainGetName(domain.get()), state.words());
  }
  if (virDomainResume(domain.get()) != 0)
    return Failure{machine_error(domain.get(), "The machine \"{}\" cannot be resumed.")};
  return {};
}

Result<service::FreezeOutlook> Driver::freeze_outlook(const MachineId& id) {
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  return hypervisor::freeze_outlook(domain.get());
}

Result<std::uint64_t> Driver::freeze(const MachineId& id, Milliseconds patience) {
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  return hypervisor::freeze(domain.get(), patience);
}

Result<service::ThawReport> Driver::thaw(const MachineId& id) {
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  return hypervisor::thaw(domain.get());
}

Result<void> Driver::check_mergeable(const MachineId& id, const DiskSnapshot& disk) {
  COHORT_TRY(check_disks_reachable());
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  const service::MergeWatch nobody;
  return hypervisor::check_mergeable(domain.get(), MergeRequest{virDomainGetName(domain.get()), disk, {}, nobody});
}

Result<void> Driver::merge_overlay(const MachineId& id, const DiskSnapshot& disk, std::stop_token stop,
                                   const service::MergeWatch& watch) {
  COHORT_TRY(check_disks_reachable());
  MergeRequest request{{}, disk, std::move(stop), watch};
  for (int losses = 0;; ++losses) {
    COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
    request.machine = virDomainGetName(domain.get());
    auto merged = merge(domain.get(), request);
    // The block job goes on in QEMU while libvirtd is restarted, and is found again.
    if (merged || losses == kLossesEndured || is_connected(domain.get())) return merged;
  }
}

Result<void> Driver::remove_stray_overlay(const Path& file) {
  COHORT_TRY(check_disks_reachable());
  return remove_overlay_file(file);
}

Result<void> Driver::start(const MachineId& id) {
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(id));
  if (virDomainCreate(domain.get()) != 0)
    return Failure{machine_error(domain.get(), "The machine \"{}\" cannot be started.")};
  return {};
}

Path Driver::tpm_state_folder(const MachineId& id) const { return tpm_storage(kind_) / id.str(); }

Path Driver::default_disk_folder() const { return disk_storage(kind_); }

}  // namespace cohort::hypervisor
