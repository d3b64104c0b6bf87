#include "hypervisor/inactive_images.h"

#include "hypervisor/monitor.h"

namespace cohort::hypervisor {
namespace {

constexpr const char* kAfterMigration = "postmigrate";

}  // namespace

Result<void> take_images_back(virDomainPtr domain) {
  if (virDomainIsActive(domain) != 1) return {};
  Monitor monitor(domain);
  COHORT_ASSIGN(const std::string state, monitor.run_state());
  if (state != kAfterMigration) return {};
  COHORT_ASSIGN(const auto disks, monitor.disks());
  for (const QemuDisk& disk : disks) {
    if (!disk.node.empty()) COHORT_TRY(monitor.take_back(disk.node));
  }
  return {};
}

}  // namespace cohort::hypervisor
