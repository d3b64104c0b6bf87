#include "service/disk_identity.h"

#include "base/file_stamp.h"

namespace cohort::service {
namespace {

DiskId recorded_of(const MachineId& machine, const Path& overlay, const std::vector<Snapshot>& known) {
  for (const auto& snapshot : known) {
    for (const auto& member : snapshot.members) {
      if (member.machine != machine) continue;
      for (const auto& disk : member.disks) {
        if (disk.overlay == overlay) return disk.id;
      }
    }
  }
  return {};
}

}  // namespace

DiskId identity_of(const MachineId& machine, const MachineDisk& disk, const std::vector<Snapshot>& known) {
  const Path& file = disk.chain.front().path;
  if (const DiskId recorded = recorded_of(machine, file, known); !recorded.is_nil()) return recorded;
  const auto stamp = stamp_of(file);
  return DiskId(Uuid::named(fmt::format("disk {} {} {}", machine.str(), stamp ? stamp->inode : 0, file.native())));
}

bool is_another_disk(const DiskSnapshot& one, const DiskSnapshot& other) {
  return !one.id.is_nil() && !other.id.is_nil() && one.id != other.id;
}

}  // namespace cohort::service
