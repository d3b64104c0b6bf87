// Inside the fence: every call here makes machines stand still longer.
#include <libvirt/libvirt.h>

#include "base/kill_point.h"
#include "hypervisor/disk_chains.h"
#include "hypervisor/driver.h"
#include "hypervisor/inactive_images.h"
#include "hypervisor/left_nodes.h"
#include "hypervisor/libvirt_error.h"
#include "hypervisor/power.h"
#include "hypervisor/state_files.h"

namespace cohort::hypervisor {
namespace {

// All disks in one QEMU transaction, over files that exist, and nothing for libvirt to remember of it. Memory is saved
// before the transaction; a machine that stands still already stands still after it, too.
constexpr unsigned int kSnapshotFlags =
    VIR_DOMAIN_SNAPSHOT_CREATE_REUSE_EXT | VIR_DOMAIN_SNAPSHOT_CREATE_NO_METADATA | VIR_DOMAIN_SNAPSHOT_CREATE_ATOMIC;

struct SnapshotFreer {
  void operator()(virDomainSnapshot* snapshot) const { virDomainSnapshotFree(snapshot); }
};
using SnapshotHandle = std::unique_ptr<virDomainSnapshot, SnapshotFreer>;

Result<void> check_power(virDomainPtr domain, const MemberSnapshot& member) {
  COHORT_ASSIGN(const DomainState state, state_of(domain));
  const PowerState expected = member.power == PowerState::kOff ? PowerState::kOff : PowerState::kPaused;
  if (state.power() == expected) return {};
  return fail(ErrorCode::kInvalidState, "The machine \"{}\" is {} although it should be {}: somebody has interfered.",
              member.name, state.words(), to_string(expected));
}

// The overlay names the frozen file in its header. If the machine writes to another file by now, the overlay would
// tell a wrong chain.
Result<void> check_sources(const DomainDescription& description, const MemberSnapshot& member) {
  for (const DiskSnapshot& disk : member.disks) {
    const DomainDisk* found = find_disk(description, disk.target);
    if (found != nullptr && is_same_file(found->source, disk.frozen.path)) continue;
    return fail(ErrorCode::kInvalidState, "The disk {} of \"{}\" is no longer \"{}\": somebody has changed it.",
                disk.target, member.name, disk.frozen.path.string());
  }
  return {};
}

// A machine that was never started may have no NVRAM file yet.
Result<std::optional<std::string>> read_nvram(const DomainDescription& description, const MemberSnapshot& member) {
  if (!description.nvram) return std::nullopt;
  auto content = read_file(*description.nvram, kLargestStateFile);
  const bool may_be_missing = member.power == PowerState::kOff;
  if (!content && content.error().code == ErrorCode::kNotFound && may_be_missing) return std::nullopt;
  COHORT_TRY(content);
  return *std::move(content);
}

// QEMU saves a machine's memory once for each time that it stands still.
bool was_saved_before(const Error& error) {
  return error.cause.find("paused due to previous migration") != std::string::npos;
}

Failure already_saved(const MemberSnapshot& member) {
  return fail(
      ErrorCode::kInvalidState,
      "The memory of the machine \"{}\", which is paused, has been saved since it was paused, and QEMU does not "
      "save it again: let it run for a moment first, or leave the memory out with --disk-only.",
      member.name);
}

Result<void> switch_disks(virDomainPtr domain, const DomainDescription& description, const MemberSnapshot& member) {
  if (member.disks.empty()) return {};
  const unsigned int flags = member.memory ? kSnapshotFlags : kSnapshotFlags | VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY;
  const std::string xml = snapshot_xml(description, member);
  for (std::size_t attempts = 1 + member.disks.size();; --attempts) {
    const SnapshotHandle snapshot(virDomainSnapshotCreateXML(domain, xml.c_str(), flags));
    if (snapshot) return {};
    Error error = libvirt_error(fmt::format("The disks of the machine \"{}\" cannot be snapshotted.", member.name));
    if (was_saved_before(error)) return already_saved(member);
    if (attempts == 1 || !remove_left_nodes(domain, error)) return Failure{std::move(error)};
  }
}

}  // namespace

Result<service::MachineStateFiles> Driver::capture(const MemberSnapshot& member) {
  COHORT_TRY(check_disks_reachable());
  COHORT_ASSIGN(const DomainHandle domain, connections_->domain(member.machine));
  COHORT_TRY(check_power(domain.get(), member));
  COHORT_ASSIGN(const DomainDescription description, hypervisor::describe(domain.get(), 0));
  COHORT_TRY(check_sources(description, member));
  service::MachineStateFiles files;
  // First what only reads: if it fails, no disk is switched.
  COHORT_ASSIGN(files.nvram, read_nvram(description, member));
  if (description.has_emulated_tpm) {
    COHORT_ASSIGN(files.tpm, read_tpm_files(tpm_state_folder(member.machine)));
  }
  kill_point("capture.before_snapshot");
  COHORT_TRY(switch_disks(domain.get(), description, member));
  kill_point("capture.after_snapshot");
  // A machine that is resumed gets them back by that.
  if (member.memory && member.power == PowerState::kPaused) COHORT_TRY(take_images_back(domain.get()));
  return files;
}

}  // namespace cohort::hypervisor
