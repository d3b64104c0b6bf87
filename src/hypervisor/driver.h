// service::Hypervisor over libvirt. Each concern has a file of its own: inspect.cc, capture.cc, memory.cc, restore.cc,
// merge.cc, define.cc, throwaway.cc, control.cc; the rest is in driver.cc.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hypervisor/connection.h"
#include "hypervisor/driver_kind.h"
#include "service/ports/hypervisor.h"

namespace cohort::hypervisor {

class Driver final : public service::Hypervisor {
 public:
  Driver(std::unique_ptr<ConnectionPool> connections, DriverKind kind);

  [[nodiscard]] Result<service::HostInfo> host() override;
  [[nodiscard]] Result<std::vector<MachineSummary>> machines() override;
  [[nodiscard]] Result<MachineSummary> find_machine(std::string_view name_or_uuid) override;
  [[nodiscard]] Result<MachineSummary> machine(const MachineId& id) override;
  [[nodiscard]] Result<MachineDetails> inspect(const MachineId& id) override;

  [[nodiscard]] Result<std::vector<MachineCondition>> conditions() override;
  [[nodiscard]] Result<MachineCondition> condition(const MachineId& id) override;
  [[nodiscard]] Result<MachineHardware> hardware(const MachineId& id) override;
  [[nodiscard]] Result<MachineHardware> hardware_in(const std::string& configuration) override;
  [[nodiscard]] Result<void> describe(const MachineId& id, const std::string& description) override;
  [[nodiscard]] Result<void> change_power(const MachineId& id, PowerChange change) override;

  [[nodiscard]] Result<void> create_overlay(const DiskSnapshot& disk) override;
  [[nodiscard]] Result<std::unique_ptr<service::PauseWatch>> watch_pauses(
      const std::vector<MachineId>& machines) override;
  [[nodiscard]] Result<void> suspend(const MachineId& id) override;
  [[nodiscard]] Result<void> resume(const MachineId& id) override;
  [[nodiscard]] Result<service::MachineStateFiles> capture(const MemberSnapshot& member) override;
  [[nodiscard]] Result<void> stop_saving(const MachineId& id) override;
  [[nodiscard]] Result<std::uint64_t> keep_memory(const Path& file) override;
  [[nodiscard]] Result<void> remove_memory(const Path& file) override;
  [[nodiscard]] Result<void> restore(const service::RestoreRequest& request) override;
  [[nodiscard]] Result<service::FreezeOutlook> freeze_outlook(const MachineId& id) override;
  [[nodiscard]] Result<std::uint64_t> freeze(const MachineId& id, Milliseconds patience) override;
  [[nodiscard]] Result<service::ThawReport> thaw(const MachineId& id) override;
  [[nodiscard]] Result<void> check_mergeable(const MachineId& id, const DiskSnapshot& disk) override;
  [[nodiscard]] Result<void> merge_overlay(const MachineId& id, const DiskSnapshot& disk, std::stop_token stop,
                                           const service::MergeWatch& watch) override;
  [[nodiscard]] Result<void> remove_stray_overlay(const Path& file) override;
  [[nodiscard]] Result<void> define_as_it_runs(const MachineId& id, const std::string& target) override;

  [[nodiscard]] Result<void> check_disks_reachable() const override;
  [[nodiscard]] Result<void> check_configuration(const std::string& configuration,
                                                 const std::set<RefusalKind>& trusted) override;
  [[nodiscard]] Result<service::MachineOutline> outline_of(const std::string& configuration) override;
  [[nodiscard]] Result<MachineId> define_machine(const service::DefineMachineRequest& request) override;
  [[nodiscard]] Result<std::vector<Path>> port_files(const service::DefineMachineRequest& request) override;
  [[nodiscard]] Path tpm_state_folder(const MachineId& id) const override;
  [[nodiscard]] Result<void> write_tpm_state(const MachineId& id,
                                             const std::vector<service::MachineStateFiles::File>& files) override;
  [[nodiscard]] Result<void> start(const MachineId& id) override;
  [[nodiscard]] Result<void> start_throwaway(const service::ThrowawayMachine& machine) override;
  [[nodiscard]] Result<std::unique_ptr<service::EndWatch>> watch_ends(const std::vector<MachineId>& machines) override;
  [[nodiscard]] Result<bool> agent_answers(const MachineId& id) override;
  [[nodiscard]] Result<void> create_isolated_network(const NetworkId& id, const std::string& name) override;
  [[nodiscard]] Result<bool> remove_network(const NetworkId& id) override;
  [[nodiscard]] Result<service::DefinedMachine> defined_machine(const MachineId& id) override;
  [[nodiscard]] Result<void> stop(const MachineId& id) override;
  [[nodiscard]] Result<void> undefine_machine(const MachineId& id) override;
  [[nodiscard]] Path default_disk_folder() const override;

 private:
  std::unique_ptr<ConnectionPool> connections_;
  DriverKind kind_;
};

}  // namespace cohort::hypervisor
