// A world of machines in memory: power, disks as chains of files with content, pauses.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "service/ports/hypervisor.h"
#include "service/testing/call_control.h"

namespace cohort::service {

// What stands in a disk file of the fake world. A place that a file does not have is its backing file's.
struct FakeFile {
  std::optional<Path> backing;
  std::map<int, std::string> places;
};

struct FakeMachine {
  MachineSummary summary;
  std::map<std::string, Path> disks;         // the active file by target
  std::map<std::string, Path> mistaken_for;  // by target, what libvirt takes for the active file until it is off
  std::vector<LeftOutDisk> left_out;
  std::vector<std::string> obstacles;
  MachineStateFiles state;
  std::string mark;        // of its definition
  std::string definition;  // empty: it has none
  std::string memory;      // what its guest has in its memory
  bool is_stuck = false;   // stands still by an I/O error
  bool has_agent_channel = true;
  bool has_freeze_hook = true;
  std::uint64_t file_systems = 2;  // that its agent can freeze
  std::uint64_t frozen = 0;        // of them
  bool is_frozen_by_owner = false;
  std::string complaint;     // of its agent, when it thaws
  std::string network;       // of a throw-away machine
  MachineHardware hardware;  // also what a configuration of the machine says, but for its UUID and name
  bool is_saved = false;     // while it is off
  bool starts_with_host = false;
  std::optional<pid_t> process;
  std::optional<WallTime> started;
};

// Behaves as the port asks. Calls are named "suspend web", "create_overlay web.cohort-….qcow2", "merge_overlay web
// vda".
//
// Threads: safe to call from several at once.
class FakeHypervisor final : public Hypervisor {
 public:
  // TPM state is kept in real files below `folder`.
  FakeHypervisor(CallControl& control, const Clock& clock, Path folder)
      : control_(control), clock_(clock), folder_(std::move(folder)) {}

  // --- the world, for tests ---

  // The files of its disks are made, too, if they are not there, with the place 0 written.
  MachineId add_machine(FakeMachine machine);
  void remove_machine(const std::string& name);
  void change(const std::string& name, const std::function<void(FakeMachine&)>& how);
  void set_power(const std::string& name, PowerState power);
  [[nodiscard]] PowerState power(const std::string& name) const;
  [[nodiscard]] Path active_file(const std::string& name, const std::string& target) const;
  // The guest writes to its disk.
  void write(const std::string& name, const std::string& target, int place, const std::string& text);
  // What a reader of the file with its backing files sees: "0=a 1=b".
  [[nodiscard]] std::string content(const Path& file) const;
  [[nodiscard]] std::string disk_content(const std::string& name, const std::string& target) const;
  [[nodiscard]] bool has_file(const Path& file) const;
  // Of a machine that was saved; nothing if there is no such file.
  [[nodiscard]] std::optional<std::string> saved_memory(const Path& file) const;
  // All of it but the passage of time: equal worlds have equal descriptions.
  [[nodiscard]] std::string describe() const;

  HostInfo info{"fake:///system", "Fake", "1.0", "2.0", "here", true, true};
  std::vector<std::string> outlined_disks;  // what outline_of() finds in any configuration
  std::string without_agent_channel;        // the machine whose configuration has none
  Path disk_folder = "/nonexistent/fake-disks";
  bool agents_answer = true;
  Milliseconds patience{0};  // of the last freeze
  // The isolated networks that there are.
  std::map<NetworkId, std::string> networks;
  // A throw-away machine comes to its end.
  void end(const std::string& name, MachineEnd how);

  // --- the port ---

  [[nodiscard]] Result<HostInfo> host() override;
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
  [[nodiscard]] Result<std::unique_ptr<PauseWatch>> watch_pauses(const std::vector<MachineId>& machines) override;
  [[nodiscard]] Result<void> suspend(const MachineId& id) override;
  [[nodiscard]] Result<void> resume(const MachineId& id) override;
  [[nodiscard]] Result<MachineStateFiles> capture(const MemberSnapshot& member) override;
  [[nodiscard]] Result<void> stop_saving(const MachineId& id) override;
  [[nodiscard]] Result<std::uint64_t> keep_memory(const Path& file) override;
  [[nodiscard]] Result<void> remove_memory(const Path& file) override;
  [[nodiscard]] Result<void> restore(const RestoreRequest& request) override;
  [[nodiscard]] Result<FreezeOutlook> freeze_outlook(const MachineId& id) override;
  [[nodiscard]] Result<std::uint64_t> freeze(const MachineId& id, Milliseconds patience) override;
  [[nodiscard]] Result<ThawReport> thaw(const MachineId& id) override;
  [[nodiscard]] Result<void> check_mergeable(const MachineId& id, const DiskSnapshot& disk) override;
  [[nodiscard]] Result<void> merge_overlay(const MachineId& id, const DiskSnapshot& disk, std::stop_token stop,
                                           const MergeWatch& watch) override;
  [[nodiscard]] Result<void> remove_stray_overlay(const Path& file) override;
  [[nodiscard]] Result<void> define_as_it_runs(const MachineId& id, const std::string& target) override;
  [[nodiscard]] Result<void> check_disks_reachable() const override {
    if (info.can_snapshot) return {};
    return fail(ErrorCode::kUnsupported, "The disks are on another host.");
  }
  // A configuration of this world is "<uuid> <name>"; one that holds "forbidden" is refused.
  // Refuses one that holds "forbidden", unless kHostDevice is trusted.
  [[nodiscard]] Result<void> check_configuration(const std::string& configuration,
                                                 const std::set<RefusalKind>& trusted) override;
  [[nodiscard]] Result<MachineOutline> outline_of(const std::string& configuration) override;
  [[nodiscard]] Result<MachineId> define_machine(const DefineMachineRequest& request) override;
  // The machines of this world have no ports.
  [[nodiscard]] Result<std::vector<Path>> port_files(const DefineMachineRequest& /*request*/) override {
    return std::vector<Path>{};
  }
  [[nodiscard]] Path tpm_state_folder(const MachineId& id) const override { return folder_ / "tpm" / id.str(); }
  [[nodiscard]] Result<void> write_tpm_state(const MachineId& id,
                                             const std::vector<MachineStateFiles::File>& files) override;
  [[nodiscard]] Result<void> start(const MachineId& id) override;
  [[nodiscard]] Result<void> start_throwaway(const ThrowawayMachine& machine) override;
  [[nodiscard]] Result<std::unique_ptr<EndWatch>> watch_ends(const std::vector<MachineId>& machines) override;
  [[nodiscard]] Result<bool> agent_answers(const MachineId& id) override;
  [[nodiscard]] Result<void> create_isolated_network(const NetworkId& id, const std::string& name) override;
  [[nodiscard]] Result<bool> remove_network(const NetworkId& id) override;
  [[nodiscard]] Result<DefinedMachine> defined_machine(const MachineId& id) override;
  [[nodiscard]] Result<void> stop(const MachineId& id) override;
  [[nodiscard]] Result<void> undefine_machine(const MachineId& id) override;
  [[nodiscard]] Path default_disk_folder() const override { return disk_folder; }

 private:
  class Watch;
  class Ends;
  using Lock = std::lock_guard<std::mutex>;

  // The name, or the UUID of a machine that is not there: for the names of calls.
  [[nodiscard]] std::string name_of(const MachineId& id) const;

  // The REQUIRES of all of these: mutex_ is held.
  [[nodiscard]] Result<FakeMachine*> find_answering(const MachineId& id);
  [[nodiscard]] Result<FakeMachine*> find(const MachineId& id);
  [[nodiscard]] FakeMachine& named(const std::string& name);
  [[nodiscard]] const FakeMachine& named(const std::string& name) const;
  [[nodiscard]] std::vector<Path> chain_of(const Path& active) const;
  [[nodiscard]] std::string read(const Path& file) const;
  void set_running(FakeMachine& machine, bool is_running);
  [[nodiscard]] Result<void> add_defined(const DefineMachineRequest& request, FakeMachine machine);
  void forget(const MachineId& id);
  [[nodiscard]] Result<void> check_switchable(const FakeMachine& machine, const MemberSnapshot& member) const;
  // Whether the machine has the overlay; fails where no merge may begin.
  [[nodiscard]] Result<bool> is_on_overlay(const FakeMachine& machine, const DiskSnapshot& disk) const;
  [[nodiscard]] Result<void> merge(FakeMachine& machine, const DiskSnapshot& disk, const MergeWatch& watch);
  [[nodiscard]] Result<void> commit(FakeMachine& machine, const DiskSnapshot& disk, const MergeWatch& watch);
  [[nodiscard]] Result<void> check_needless(const FakeMachine& machine, const DiskSnapshot& disk) const;

  CallControl& control_;
  const Clock& clock_;
  Path folder_;
  mutable std::mutex mutex_;
  std::map<MachineId, FakeMachine> machines_;
  std::map<Path, FakeFile> files_;
  std::map<Path, std::string> memories_;            // that were saved, by their files
  std::map<MachineId, WallTime> stopped_;           // of machines that stand still
  std::map<MachineId, std::vector<Pause>> pauses_;  // that have ended
  std::map<MachineId, MachineEnd> ends_;
};

}  // namespace cohort::service
