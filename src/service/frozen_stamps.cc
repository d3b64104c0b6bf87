#include "service/frozen_stamps.h"

#include <algorithm>
#include <functional>

namespace cohort::service {
namespace {

// No file has it.
constexpr FileStamp kWrittenTo{};

std::vector<DiskSnapshot> disks_with(const std::vector<Snapshot>& all,
                                     const std::function<bool(const DiskSnapshot&)>& is_wanted) {
  std::vector<DiskSnapshot> found;
  for (const auto& snapshot : all) {
    for (const auto& member : snapshot.members) {
      for (const auto& disk : member.disks) {
        if (is_wanted(disk)) found.push_back(disk);
      }
    }
  }
  return found;
}

std::vector<DiskSnapshot> disks_on(const std::vector<Snapshot>& all, const Path& frozen) {
  return disks_with(all, [&](const DiskSnapshot& disk) { return disk.frozen.path == frozen; });
}

// Also true of a file whose stamp is not known.
bool is_unwritten(const DiskSnapshot& disk) {
  if (!disk.stamp) return true;
  const auto now = stamp_of(disk.frozen.path);
  return now && *now == *disk.stamp;
}

Result<void> withdraw(const std::vector<DiskSnapshot>& disks, StateStore& store) {
  for (const auto& disk : disks) {
    if (disk.stamp && is_unwritten(disk)) COHORT_TRY(store.stamp_frozen(disk.frozen.path, std::nullopt));
  }
  return {};
}

Result<void> renew(const std::vector<DiskSnapshot>& disks, StateStore& store) {
  for (const auto& disk : disks) {
    if (disk.stamp) continue;
    if (const auto now = stamp_of(disk.frozen.path)) COHORT_TRY(store.stamp_frozen(disk.frozen.path, *now));
  }
  return {};
}

}  // namespace

void stamp_frozen_files(Snapshot& snapshot) {
  for (auto& member : snapshot.members) {
    for (auto& disk : member.disks) {
      if (const auto stamp = stamp_of(disk.frozen.path)) disk.stamp = *stamp;
    }
  }
}

Result<void> withdraw_stamps(const DiskSnapshot& merged, StateStore& store) {
  COHORT_ASSIGN(const auto all, store.snapshots());
  const auto below = disks_on(all, merged.frozen.path);
  const bool is_base_unwritten = std::ranges::all_of(below, is_unwritten);
  const auto moving = disks_on(all, merged.overlay);
  for (const auto& disk : moving) {
    COHORT_TRY(withdraw(disks_on(all, disk.overlay), store));
    // What it reads below its own file is its content, too.
    if (!is_base_unwritten) COHORT_TRY(store.stamp_frozen(disk.frozen.path, kWrittenTo));
  }
  if (is_base_unwritten) COHORT_TRY(withdraw(moving, store));
  return withdraw(below, store);
}

Result<void> renew_stamps(const DiskSnapshot& merged, StateStore& store) {
  COHORT_ASSIGN(const auto all, store.snapshots());
  const auto moved = disks_on(all, merged.frozen.path);
  COHORT_TRY(renew(moved, store));
  for (const auto& disk : moved) COHORT_TRY(renew(disks_on(all, disk.overlay), store));
  return {};
}

Result<void> check_unwritten(const MemberSnapshot& member, const DiskSnapshot& disk, const std::vector<Snapshot>& all) {
  if (!is_unwritten(disk)) {
    return fail(
        ErrorCode::kCorrupt,
        "The frozen file \"{}\" of disk {} of \"{}\" was written to after the instant: somebody has changed that "
        "file, and what it held at the instant is lost. Delete the snapshot and take a new one.",
        disk.frozen.path.string(), disk.target, member.name);
  }
  const auto below = disks_with(all, [&](const DiskSnapshot& other) { return other.overlay == disk.frozen.path; });
  for (const auto& other : below) COHORT_TRY(check_unwritten(member, other, all));
  return {};
}

}  // namespace cohort::service
