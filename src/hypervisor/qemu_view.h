// Where libvirt is wrong about the disk of a running machine.
//
// libvirt writes what it knows of a machine to a file when QEMU has done what it was told. A libvirtd that is killed in
// between comes back with an older view (docs/lessons.md, 13). QEMU's image locks tell, without a question to QEMU,
// whether that may be so; QEMU is asked only then.
#pragma once

#include <libvirt/libvirt.h>

#include <optional>
#include <string>

#include "base/result.h"
#include "hypervisor/domain_xml.h"
#include "hypervisor/monitor.h"

namespace cohort::hypervisor {

// Whether a machine that runs without a block job may have this chain: a program writes to the active file, and to none
// below it. False also if the locks cannot be read.
[[nodiscard]] bool fits_locks(const Chain& believed);

// The disk as QEMU has it. kInvalidState if it has no such device, or one without files.
[[nodiscard]] Result<QemuDisk> ask_qemu(virDomainPtr domain, const std::string& machine, const DomainDisk& disk);

// Whether libvirt has noted a block job of this disk that QEMU does not have: libvirtd was killed when the job ended,
// and keeps the note until the machine stops (docs/lessons.md, 15).
[[nodiscard]] Result<bool> has_dead_job(virDomainPtr domain, const std::string& target);

// Of such a disk of a running machine, and the remedy, for the operator: the next start must be on the file that QEMU
// is on.
[[nodiscard]] Result<std::string> words_of_dead_job(virDomainPtr domain, const std::string& machine,
                                                    const std::string& target);

// What libvirt is wrong about, and the remedy, for the operator.
[[nodiscard]] std::string words_of_mistake(const std::string& machine, const std::string& target, const Path& believed,
                                           const Path& actual);

}  // namespace cohort::hypervisor
