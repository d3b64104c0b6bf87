// What works on this host, and what does not.
#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "service/ports/hypervisor.h"

namespace cohort::service {

enum class Finding { kGood, kWarning, kBad };
[[nodiscard]] std::string_view to_string(Finding finding);  // "ok", "warning", "bad"

struct CheckedItem {
  std::string
      id;  // stable: "libvirt", "qemu", "pause_events", "state_folder", "free_space:/path", "tool:qemu-img", "guard"
  Finding finding = Finding::kGood;
  std::string message;  // what was found, and the remedy where there is something to mend
};

struct HostReport {
  HostInfo host;
  std::vector<CheckedItem> items;
  [[nodiscard]] bool is_usable() const;  // nothing is kBad
};

// Changes nothing. A hypervisor that cannot be asked is an item of the report, not a failure.
[[nodiscard]] HostReport check_host(Hypervisor& hypervisor, const Path& state_folder, const Path& guard_program);

}  // namespace cohort::service
