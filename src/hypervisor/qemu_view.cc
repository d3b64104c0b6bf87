#include "hypervisor/qemu_view.h"

#include <algorithm>

#include "hypervisor/overlay_file.h"

namespace cohort::hypervisor {

bool fits_locks(const Chain& believed) {
  if (believed.empty() || !is_written_to(believed.front().path).value_or(false)) return false;
  return std::none_of(believed.begin() + 1, believed.end(),
                      [](const Layer& layer) { return is_written_to(layer.path).value_or(true); });
}

Result<QemuDisk> ask_qemu(virDomainPtr domain, const std::string& machine, const DomainDisk& disk) {
  COHORT_ASSIGN(auto disks, Monitor(domain).disks());
  const auto found = std::ranges::find_if(disks, [&](const QemuDisk& each) { return each.has_alias(disk.alias); });
  if (found != disks.end() && !found->chain.empty()) return std::move(*found);
  return fail(ErrorCode::kInvalidState, "The QEMU of \"{}\" does not say which file its disk {} is.", machine,
              disk.target);
}

std::string words_of_mistake(const std::string& machine, const std::string& target, const Path& believed,
                             const Path& actual) {
  return fmt::format(
      "libvirt takes \"{}\" for the disk {} of \"{}\", but the machine's QEMU writes to \"{}\": libvirtd was killed "
      "while it switched the disk. If cohort host doctor does not mend it, set the disk to the latter file in the "
      "definition (virsh edit \"{}\"), then shut the machine down and start it; a start on the former would lose what "
      "it wrote.",
      believed.string(), target, machine, actual.string(), machine);
}

}  // namespace cohort::hypervisor
