// libvirt's domain XML (https://libvirt.org/formatdomain.html): what a snapshot reads of it, and the edits it needs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "domain/machine.h"
#include "domain/snapshot.h"
#include "service/ports/hypervisor.h"

namespace cohort::hypervisor {

// A <disk> as it stands in the XML.
struct DomainDisk {
  std::string target;                // <target dev=…>
  std::string bus;                   // "virtio", "scsi", …
  std::string alias;                 // of the device in QEMU; only what runs has one
  std::string device = "disk";       // "disk", "lun", "cdrom", "floppy"
  std::string type = "file";         // "file", "block", "network", "volume", …
  std::string source;                // the file; for other types what names the source best, for people; may be empty
  std::string format = "raw";        // <driver type=…>
  std::vector<Layer> backing;        // from nested <backingStore>, if it is told; files only
  bool backing_is_complete = false;  // the chain in the XML ends with an empty <backingStore/>
  bool is_readonly = false;
  bool is_shareable = false;
  bool is_transient = false;
  bool has_mirror = false;  // <mirror>: a block job is under way

  // Why it has no part in a snapshot; nothing if it has.
  [[nodiscard]] std::optional<LeftOutReason> left_out_reason() const;
};

struct DomainDescription {
  MachineId id;
  std::string name;
  std::vector<DomainDisk> disks;  // in the order of the document
  std::optional<Path> nvram;      // <os><nvram>
  bool has_emulated_tpm = false;
  bool has_agent_channel = false;
};

// The text may come from a stranger: no DOCTYPE, no network, 4 MiB and 64 levels at most; kCorrupt names what is wrong.
[[nodiscard]] Result<DomainDescription> read_domain(const std::string& xml);

// The same document with the disk's source file and format replaced and its <backingStore> dropped.
// kNotFound if there is no such disk.
[[nodiscard]] Result<std::string> with_disk_source(const std::string& xml, const std::string& target,
                                                   const Layer& source);

// <domainsnapshot> for an external snapshot: the member's disks with their overlays, all other disks of the domain
// snapshot='no'; with the member's memory, or of the disks only.
[[nodiscard]] std::string snapshot_xml(const DomainDescription& domain, const MemberSnapshot& member);

// The definition of an imported machine: see DefineMachineRequest. `id` is the UUID it gets.
[[nodiscard]] Result<std::string> definition_for_import(const service::DefineMachineRequest& request,
                                                        const MachineId& id);

}  // namespace cohort::hypervisor
