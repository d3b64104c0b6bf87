// A virtual machine as a snapshot sees it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "domain/ids.h"

namespace cohort {

enum class PowerState {
  kRunning,
  kPaused,  // by its user; Cohort's own pauses are never recorded
  kOff,     // also a machine that was saved to a file (managed save)
  kOther,   // crashed, suspended by the guest, shutting down: not snapshotted in this state
};
[[nodiscard]] std::string_view to_string(PowerState state);  // "running", "paused", "off", "other"
[[nodiscard]] Result<PowerState> power_state_from(std::string_view name);

// A row of `vm list`.
struct MachineSummary {
  MachineId id;
  std::string name;
  PowerState power = PowerState::kOff;
  bool persistent = true;
};

// Why a disk has no part in a snapshot.
enum class LeftOutReason {
  kCdrom,        // CD-ROMs and floppies: always left out
  kReadOnly,     // always left out
  kPassThrough,  // device='lun' or a host device: refused, or ignored on request
  kShareable,    // refused, or ignored on request
  kNotAFile,     // block device, network, volume, …: refused, or ignored on request
  kTransient,    // <transient/>: refused, or ignored on request
  kNotChosen,    // an export of some of the disks was asked for; never in a snapshot
};
[[nodiscard]] std::string_view to_string(LeftOutReason reason);  // "cdrom", "read-only", "pass-through", …
[[nodiscard]] Result<LeftOutReason> left_out_reason_from(std::string_view name);
// True for those that are left out without being asked about.
[[nodiscard]] bool is_harmless(LeftOutReason reason);

struct LeftOutDisk {
  std::string target;  // "sda"
  LeftOutReason reason = LeftOutReason::kCdrom;
  std::string source;  // what it shows, for people; may be empty
};

// One file of a disk's chain.
struct Layer {
  Path path;
  std::string format;  // QEMU's name: "qcow2", "raw", …
};

// A writable disk that can be snapshotted.
struct MachineDisk {
  std::string target;              // "vda"
  std::vector<Layer> chain;        // the active file first, then its backing files
  std::uint64_t virtual_size = 0;  // bytes, as the guest sees it
  // The file that libvirt takes for the active one, if it is wrong about it (docs/lessons.md, 13). The chain is QEMU's.
  std::optional<Path> mistaken_for = {};
};

// Everything a snapshot has to know before it begins.
struct MachineDetails {
  MachineSummary summary;
  std::string configuration;       // libvirt's domain XML, without secrets; of the running machine if it runs
  std::vector<MachineDisk> disks;  // in the order of the configuration
  std::vector<LeftOutDisk> left_out;
  std::optional<Path> nvram;       // UEFI variable store
  std::optional<Path> tpm_state;   // folder of an emulated TPM's state
  std::uint64_t memory_bytes = 0;  // that it can have at most
  std::string definition;  // libvirt's definition, with secrets; empty if it has none, and is gone when it stops
  // Why this machine cannot be snapshotted now ("a block job runs on vda: wait for it, or virsh blockjob …");
  // each is a sentence for the operator. Empty: it can.
  std::vector<std::string> obstacles;
};

}  // namespace cohort
