#include "service/host_check.h"

#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/process.h"

namespace cohort::service {
namespace {

constexpr std::uint64_t kLittleSpace = 1ULL << 30U;

CheckedItem check_tool(const std::string& tool) {
  const std::string id = "tool:" + tool;
  const auto output = run_process({tool, "--version"});
  if (!output || output->exit_status != 0) {
    return {id, Finding::kBad, fmt::format("{} cannot be run: install qemu-utils.", tool)};
  }
  return {id, Finding::kGood, output->out.substr(0, output->out.find('\n'))};
}

CheckedItem check_guard(const Path& program) {
  if (::access(program.c_str(), X_OK) == 0) {
    return {"guard", Finding::kGood, fmt::format("The guard is \"{}\".", program.string())};
  }
  return {
      "guard", Finding::kBad,
      fmt::format("The guard program \"{}\" cannot be run, and no snapshot is taken without it: install Cohort again.",
                  program.string())};
}

CheckedItem check_space(const std::string& id, const Path& path, std::string_view what) {
  const auto bytes = free_bytes(path);
  if (!bytes) return {id, Finding::kWarning, bytes.error().describe()};
  const auto text = fmt::format("{} MiB are free for {} in \"{}\".", *bytes >> 20U, what, path.string());
  return {id, *bytes < kLittleSpace ? Finding::kWarning : Finding::kGood, text};
}

CheckedItem check_state_folder(const Path& folder) {
  Path existing = folder;
  while (::access(existing.c_str(), F_OK) != 0 && existing.has_relative_path()) existing = existing.parent_path();
  if (::access(existing.c_str(), W_OK) != 0) {
    return {"state_folder", Finding::kBad,
            fmt::format("The state cannot be kept in \"{}\": run as a user who may write there, or choose another "
                        "folder with --state.",
                        folder.string())};
  }
  return {"state_folder", Finding::kGood, fmt::format("The state is kept in \"{}\".", folder.string())};
}

void check_hypervisor(Hypervisor& hypervisor, HostReport& report) {
  auto host = hypervisor.host();
  if (!host) {
    report.items.push_back({"libvirt", Finding::kBad, host.error().describe()});
    return;
  }
  report.host = *std::move(host);
  const HostInfo& info = report.host;
  report.items.push_back(
      {"libvirt", Finding::kGood, fmt::format("libvirt {} answers at {}.", info.library_version, info.uri)});
  report.items.push_back({"hypervisor", info.can_snapshot ? Finding::kGood : Finding::kBad,
                          info.can_snapshot
                              ? fmt::format("{} {}.", info.hypervisor, info.hypervisor_version)
                              : fmt::format("The driver {} cannot take snapshots; machines can be listed and grouped. "
                                            "Connect to qemu:///system for the rest.",
                                            info.hypervisor)});
  report.items.push_back({"pause_events", info.measures_pauses ? Finding::kGood : Finding::kWarning,
                          info.measures_pauses ? "Pauses are measured by QEMU's own events."
                                               : "Pauses cannot be measured on this driver: no instant is proven."});
}

void check_disk_folders(Hypervisor& hypervisor, HostReport& report) {
  const Path folder = hypervisor.default_disk_folder();
  report.items.push_back(check_space("free_space:" + folder.string(), folder, "overlays and imported disks"));
}

void check_acceleration(HostReport& report) {
  if (::access("/dev/kvm", R_OK | W_OK) == 0) {
    report.items.push_back({"kvm", Finding::kGood, "/dev/kvm is there; whether machines start on it was not tried."});
  } else {
    report.items.push_back(
        {"kvm", Finding::kWarning, "KVM cannot be used here (/dev/kvm): machines run slowly, by emulation."});
  }
}

}  // namespace

std::string_view to_string(Finding finding) {
  switch (finding) {
    case Finding::kGood:
      return "ok";
    case Finding::kWarning:
      return "warning";
    case Finding::kBad:
      return "bad";
  }
  return "bad";
}

bool HostReport::is_usable() const {
  return std::ranges::none_of(items, [](const CheckedItem& item) { return item.finding == Finding::kBad; });
}

HostReport check_host(Hypervisor& hypervisor, const Path& state_folder, const Path& guard_program) {
  HostReport report;
  check_hypervisor(hypervisor, report);
  check_acceleration(report);
  report.items.push_back(check_tool("qemu-img"));
  report.items.push_back(check_guard(guard_program));
  report.items.push_back(check_state_folder(state_folder));
  report.items.push_back(check_space("free_space:" + state_folder.string(), state_folder, "the state"));
  if (report.host.can_snapshot) check_disk_folders(hypervisor, report);
  return report;
}

}  // namespace cohort::service
