#include "hypervisor/qemu_view.h"

#include <algorithm>

#include "hypervisor/disk_chains.h"
#include "hypervisor/libvirt_error.h"
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

Result<bool> has_dead_job(virDomainPtr domain, const std::string& target) {
  // A job that begins or ends meanwhile is seen by one of the three: the second waits until libvirt is done with it.
  const auto is_noted = [&]() -> Result<bool> {
    COHORT_ASSIGN(const DomainDescription description, describe(domain, 0));
    const DomainDisk* disk = find_disk(description, target);
    return disk != nullptr && disk->has_mirror;
  };
  COHORT_ASSIGN(const bool was_noted, is_noted());
  if (!was_noted) return false;
  virDomainBlockJobInfo job{};
  const int found = virDomainGetBlockJobInfo(domain, target.c_str(), &job, 0);
  if (found < 0) return Failure{machine_error(domain, "The block jobs of \"{}\" cannot be read.")};
  if (found > 0) return false;
  return is_noted();
}

Result<std::string> words_of_dead_job(virDomainPtr domain, const std::string& machine, const std::string& target) {
  COHORT_ASSIGN(const DomainDescription running, describe(domain, 0));
  COHORT_ASSIGN(const DomainDescription defined, describe(domain, VIR_DOMAIN_XML_INACTIVE));
  const DomainDisk* now = find_disk(running, target);
  const DomainDisk* next = find_disk(defined, target);
  if (now == nullptr) return fail(ErrorCode::kNotFound, "The machine \"{}\" has no disk {}.", machine, target);
  COHORT_ASSIGN(const QemuDisk actual, ask_qemu(domain, machine, *now));
  const Path& active = actual.chain.front().path;
  if (next == nullptr || !is_same_file(next->source, active)) {
    return words_of_mistake(machine, target, next == nullptr ? Path(now->source) : Path(next->source), active);
  }
  return fmt::format(
      "libvirtd was killed when a block job of the disk {} of \"{}\" ended, and takes it for running still: the disk "
      "cannot be worked on. Nothing is lost. Shut the machine down and start it.",
      target, machine);
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
