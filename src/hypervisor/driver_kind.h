// Which of libvirt's drivers a connection leads to, and where that keeps its files.
#pragma once

#include <string>
#include <string_view>

#include "base/file.h"
#include "domain/ids.h"

namespace cohort::hypervisor {

struct DriverKind {
  std::string name;         // libvirt's: "QEMU", "Test"
  bool is_local = true;     // its disk files are files of this host
  bool is_session = false;  // of a user, not of the system

  [[nodiscard]] bool is_qemu() const { return name == "QEMU"; }
  [[nodiscard]] bool can_snapshot() const { return is_qemu() && is_local; }
};

// `uri` as libvirt gives it back for an open connection.
[[nodiscard]] DriverKind driver_kind(std::string_view name, std::string_view uri);

// Where libvirt keeps TPM state: a folder for each UUID (src/qemu/qemu_conf.c).
[[nodiscard]] Path tpm_storage(const DriverKind& kind);
// Where virt-manager and virt-install put disks.
[[nodiscard]] Path disk_storage(const DriverKind& kind);
// Where libvirt keeps the process ids of running machines: "<name>.pid".
[[nodiscard]] Path process_id_folder(const DriverKind& kind);

}  // namespace cohort::hypervisor
