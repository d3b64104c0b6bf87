// What the operations need of a hypervisor. Implemented over libvirt in hypervisor/, faked in tests.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "domain/machine.h"
#include "domain/refusal_kind.h"
#include "domain/snapshot.h"
#include "service/ports/guest_freeze.h"
#include "service/ports/machine_control.h"
#include "service/ports/machine_state.h"

namespace cohort::service {

struct HostInfo {
  std::string uri;
  std::string hypervisor;          // "QEMU", "Test"
  std::string hypervisor_version;  // "7.2.22"
  std::string library_version;     // libvirt's, "9.0.0"
  std::string host_name;
  bool can_snapshot = false;     // the driver is QEMU
  bool measures_pauses = false;  // QEMU's STOP and RESUME events can be had
};

// Collects the pauses of some machines from before the fence until it is destroyed.
class PauseWatch {
 public:
  virtual ~PauseWatch() = default;
  // The last pause of the machine that has begun and ended since the watch began; waits up to `patience` for the end.
  // Nothing if none was seen.
  [[nodiscard]] virtual std::optional<Pause> pause_of(const MachineId& machine, Milliseconds patience) = 0;
  // True if the machine was resumed since the watch began: a fence that should still stand has been broken.
  [[nodiscard]] virtual bool has_resumed(const MachineId& machine) const = 0;
};

// What the caller of a merge is told; each may be empty.
struct MergeWatch {
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;  // bytes of the merge
  // True: the content of the overlay is in the frozen file, and the machine leaves the overlay next. False: the disk
  // is marked so, but the machine still has the overlay; what it wrote there since is not in the frozen file yet.
  // To be kept durably before it returns, as DiskSnapshot::merged; a failure ends the merge, nothing switched.
  std::function<Result<void>(bool merged)> mark;
};

struct DefineMachineRequest {
  std::string configuration;        // domain XML from a package
  std::string name;                 // the new name
  std::optional<MachineId> id;      // keep this UUID; otherwise a new one is made, and new MAC addresses with it
  std::optional<MachineId> new_id;  // the UUID to give it when `id` is not set; absent: one is made
  std::vector<ImportedDisk> disks;  // all other writable disks are removed from the configuration; media are ejected
  std::optional<Path> nvram;        // where the NVRAM file has been put
  std::string mark;                 // kept in the definition's <metadata>, in place of an earlier one; empty: none
};

// What the overlay of a throw-away machine's disk stands on. QEMU gets the file through the descriptor: it is not
// opened by its name, and its owner and mode stay, whoever may read it.
struct ThrowawayBacking {
  Layer file;
  int fd = -1;  // open for reading; needed no longer when the machine has been started
};

struct ThrowawayMachine {
  DefineMachineRequest definition;  // `new_id` is set; its disks are overlays in qcow2
  // What each of those disks stands on, the top first and to the end, whatever the heads of the images say.
  std::vector<std::vector<ThrowawayBacking>> backing;
  std::string network;  // all interfaces are attached to this network; empty: their cables are off
};

// How a machine came to its end.
enum class MachineEnd {
  kShutDown,  // by its guest
  kCrashed,   // its guest, or QEMU
  kStopped,   // by somebody of this host
};

// Hears of machines that end, from before they run until it is destroyed.
class EndWatch {
 public:
  virtual ~EndWatch() = default;
  // How the machine, which is known to have ended, did so; waits up to `patience` to hear of it. kStopped if nothing
  // was heard.
  [[nodiscard]] virtual MachineEnd end_of(const MachineId& machine, Milliseconds patience) = 0;
};

// What has to be known of a machine before its definition is taken away.
struct DefinedMachine {
  std::string name;
  bool is_active = false;          // runs, or stands still
  std::string mark;                // of DefineMachineRequest; empty if it has none
  std::vector<std::string> disks;  // what its definition names as their sources; empty drives are not in it
};

// What a configuration says of its machine.
struct MachineOutline {
  MachineId id;
  std::string name;
  std::vector<std::string> disks;  // targets of its disks, drives for removable media not among them
  bool has_agent_channel = false;  // its guest's agent can be asked
};

// Threads: safe to call from several at once; calls for different machines do not wait for each other.
// Errors:  kNotFound where a machine does not exist, kHypervisor with libvirt's words as cause, kTimeout if libvirt
//          does not answer, kUnsupported where the driver cannot do it.
class Hypervisor : public MachineControl {
 public:
  [[nodiscard]] virtual Result<HostInfo> host() = 0;
  [[nodiscard]] virtual Result<std::vector<MachineSummary>> machines() = 0;  // by name
  [[nodiscard]] virtual Result<MachineSummary> find_machine(std::string_view name_or_uuid) = 0;
  [[nodiscard]] virtual Result<MachineSummary> machine(const MachineId& id) = 0;
  [[nodiscard]] virtual Result<MachineDetails> inspect(const MachineId& id) = 0;

  // --- the instant ---

  // Makes an empty qcow2 file over `disk.frozen` at `disk.overlay`, which must not exist.
  [[nodiscard]] virtual Result<void> create_overlay(const DiskSnapshot& disk) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<PauseWatch>> watch_pauses(const std::vector<MachineId>& machines) = 0;
  // The machine stands still when this returns. kInvalidState if it does not run.
  [[nodiscard]] virtual Result<void> suspend(const MachineId& id) = 0;
  // Lets a machine that stands still by order of a user run again; success if it runs already or is off.
  // A machine that stands still for another reason (an I/O error) is left alone: kInvalidState.
  [[nodiscard]] virtual Result<void> resume(const MachineId& id) = 0;
  // Switches all disks of the member to their overlays at once (a machine that is off: in its configuration), and
  // reads its small state files. If the member is to have its memory kept, that is saved to its file before: this takes
  // long. The machine stands still afterwards as before. On failure no disk is switched and no memory file is left.
  // REQUIRES: the overlays exist; a machine that was running stands still.
  [[nodiscard]] virtual Result<MachineStateFiles> capture(const MemberSnapshot& member) = 0;
  // A capture that is saving the machine's memory fails now. Success if there is none.
  [[nodiscard]] virtual Result<void> stop_saving(const MachineId& id) = 0;
  // Makes the memory file that a capture has left durable, and says how long it is. Takes long.
  [[nodiscard]] virtual Result<std::uint64_t> keep_memory(const Path& file) = 0;
  // Success if it is not there.
  [[nodiscard]] virtual Result<void> remove_memory(const Path& file) = 0;

  // The machine is stopped as if its power failed, if it is on, and becomes what it was: its definition, its small
  // state files, and, with memory, it stands still where it was; resume() lets it go on. Can be repeated. After a
  // failure it may be off, or have some of this. The memory file stays.
  [[nodiscard]] virtual Result<void> restore(const RestoreRequest& request) = 0;

  // --- file systems, through the guest's agent ---

  // The machine is running. kUnsupported if it has no channel for an agent, kTimeout if the agent does not answer
  // within some seconds.
  [[nodiscard]] virtual Result<FreezeOutlook> freeze_outlook(const MachineId& id) = 0;
  // Freezes all file systems that can be, at least one, and returns how many. On failure nothing is known: the agent
  // may freeze them later.
  // Waits for the answer a little longer than `patience` at most.
  [[nodiscard]] virtual Result<std::uint64_t> freeze(const MachineId& id, Milliseconds patience) = 0;
  // The file systems are thawed when this succeeds, and every earlier order to freeze has been carried out; success,
  // too, if the machine is off.
  [[nodiscard]] virtual Result<ThawReport> thaw(const MachineId& id) = 0;

  // --- taking an overlay back ---

  // Whether merge_overlay() can begin: fails as it would if the disk or its overlay is not what the snapshot left.
  // kInUse, with the remedy, if libvirt keeps every merge from it until the machine is started anew. Looks only.
  [[nodiscard]] virtual Result<void> check_mergeable(const MachineId& id, const DiskSnapshot& disk) = 0;

  // Brings the content of `disk.overlay` into `disk.frozen`; whatever of this machine stands on the overlay stands on
  // the frozen file afterwards, and the overlay file is removed. Works whether the machine runs, is paused or is off,
  // and whether or not other overlays stand on this one. Can be repeated: what is done already is success.
  // An overlay that is not in the disk's chain is removed only if nothing is lost with it: the disk is marked as
  // merged, or the overlay holds nothing (the machine was never switched to it), or nothing that the frozen file does
  // not hold. Fails with kInvalidState, nothing changed, if such an overlay holds more (somebody took it away from the
  // machine), if the disk's chain is not what the snapshot left (somebody changed it), or if the overlay holds an
  // internal snapshot of somebody else. With kCancelled the merge has been stopped; the machine works on as before.
  // Crash: a process that dies between the mark and the switch leaves a mark beside an overlay that is in use. The next
  // merge takes the mark back before it begins.
  [[nodiscard]] virtual Result<void> merge_overlay(const MachineId& id, const DiskSnapshot& disk, std::stop_token stop,
                                                   const MergeWatch& watch) = 0;

  // Removes an overlay file that no machine and no snapshot uses. Fails with kInUse, naming the file, if a program
  // writes to it all the same (the QEMU of a machine that libvirt has lost, say), and with kInvalidState if it is no
  // qcow2 image; it then stays.
  [[nodiscard]] virtual Result<void> remove_stray_overlay(const Path& file) = 0;

  // The machine's definition names the file that its disk is on, as its QEMU says. What libvirt takes the running
  // machine for stays as it is until that stops. Can be repeated; kInvalidState if the machine is off, or has no
  // definition.
  [[nodiscard]] virtual Result<void> define_as_it_runs(const MachineId& id, const std::string& target) = 0;

  // --- import ---

  // kUnsupported, with the reason, where machines do not use disk files of this host.
  [[nodiscard]] virtual Result<void> check_disks_reachable() const = 0;
  // Refuses (kUnsupported, naming the element) a configuration that reaches for the host beyond its disks, except in
  // the ways that are trusted.
  [[nodiscard]] virtual Result<void> check_configuration(const std::string& configuration,
                                                         const std::set<RefusalKind>& trusted) = 0;
  [[nodiscard]] virtual Result<MachineOutline> outline_of(const std::string& configuration) = 0;
  [[nodiscard]] virtual Result<MachineId> define_machine(const DefineMachineRequest& request) = 0;
  // The files that the defined machine will write when it runs, beside those of the request: ports that go to a file.
  [[nodiscard]] virtual Result<std::vector<Path>> port_files(const DefineMachineRequest& request) = 0;
  // Where libvirt keeps the emulated TPM's state of the machine with this UUID.
  [[nodiscard]] virtual Path tpm_state_folder(const MachineId& id) const = 0;
  // Puts the state in place for a machine that is about to be defined, owned as libvirt wants it.
  [[nodiscard]] virtual Result<void> write_tpm_state(const MachineId& id,
                                                     const std::vector<MachineStateFiles::File>& files) = 0;
  [[nodiscard]] virtual Result<void> start(const MachineId& id) = 0;

  // --- trying a package ---

  // Starts a machine of which nothing is left when it ends; it ends with this process at the latest. It stands still
  // when this returns. kAlreadyExists as define_machine; after another failure it may be there all the same.
  // Crash: a process that dies meanwhile may leave a definition, which has the mark.
  [[nodiscard]] virtual Result<void> start_throwaway(const ThrowawayMachine& machine) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<EndWatch>> watch_ends(const std::vector<MachineId>& machines) = 0;
  // Whether the guest's agent answers now; takes some seconds at most. kUnsupported if the machine has no channel for
  // one.
  [[nodiscard]] virtual Result<bool> agent_answers(const MachineId& id) = 0;
  // Makes a network that joins its machines and leads nowhere else; it is gone with the next start of the host. Fails
  // with libvirt's reason where the host cannot have one.
  [[nodiscard]] virtual Result<void> create_isolated_network(const NetworkId& id, const std::string& name) = 0;

  // --- taking an import or a try back ---

  // False if there is no such network.
  [[nodiscard]] virtual Result<bool> remove_network(const NetworkId& id) = 0;

  [[nodiscard]] virtual Result<DefinedMachine> defined_machine(const MachineId& id) = 0;
  // As if its power failed; a throw-away machine is gone then. Success if it is off, or does not exist.
  [[nodiscard]] virtual Result<void> stop(const MachineId& id) = 0;
  // Removes the definition; disk files stay. Success if the machine does not exist; kInvalidState, and it stays, if it
  // is not off.
  [[nodiscard]] virtual Result<void> undefine_machine(const MachineId& id) = 0;

  // The folder new disk images go to when none is named.
  [[nodiscard]] virtual Path default_disk_folder() const = 0;
};

}  // namespace cohort::service
