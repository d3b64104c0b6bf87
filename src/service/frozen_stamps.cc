#include "service/frozen_stamps.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <iterator>

#include "base/data_file.h"

namespace cohort::service {
namespace {

using Nanoseconds = std::chrono::nanoseconds;

// A disk in a snapshot of this instant.
struct Frozen {
  DiskSnapshot disk;
  WallTime instant;
};

std::vector<Frozen> disks_with(const std::vector<Snapshot>& all,
                               const std::function<bool(const DiskSnapshot&)>& is_wanted) {
  std::vector<Frozen> found;
  for (const auto& snapshot : all) {
    for (const auto& member : snapshot.members) {
      for (const auto& disk : member.disks) {
        if (is_wanted(disk)) found.push_back({disk, snapshot.instant});
      }
    }
  }
  return found;
}

std::vector<Frozen> disks_on(const std::vector<Snapshot>& all, const Path& frozen) {
  return disks_with(all, [&](const DiskSnapshot& disk) { return disk.frozen.path == frozen; });
}

// Whose frozen files stand on this one.
std::vector<Frozen> disks_above(const std::vector<Snapshot>& all, const Path& file) {
  return disks_with(all, [&](const DiskSnapshot& disk) { return disk.stands_on == file; });
}

// Whose frozen file this one stands on.
std::vector<Frozen> disks_below(const std::vector<Snapshot>& all, const Path& file) {
  std::vector<Frozen> below;
  for (const auto& [disk, instant] : disks_on(all, file)) {
    if (disk.stands_on.empty()) continue;
    std::ranges::move(disks_on(all, disk.stands_on), std::back_inserter(below));
  }
  return below;
}

// No file has this stamp; it keeps when somebody wrote to one.
FileStamp written_to_at(Nanoseconds moment) { return {0, 0, moment.count()}; }

// When somebody wrote to the frozen file (since 1970); nothing if nobody did, or if the stamp is not known.
std::optional<Nanoseconds> written_at(const DiskSnapshot& disk) {
  if (!disk.stamp) return std::nullopt;
  if (disk.stamp->inode == 0) return Nanoseconds(disk.stamp->modified_ns);
  const auto now = stamp_of_image(disk.frozen.path, disk.frozen.format);
  if (now && *now == *disk.stamp) return std::nullopt;
  // Nobody is accused of a file that is there and cannot be read: who reads it is told why.
  if (!now && now.error().code == ErrorCode::kIo && stamp_of(disk.frozen.path)) return std::nullopt;
  return now && now->inode == disk.stamp->inode ? Nanoseconds(now->modified_ns) : Nanoseconds::max();
}

// What was written to a file below before this moment is part of what a later snapshot has frozen.
bool is_written_since(const DiskSnapshot& below, WallTime moment) {
  const auto written = written_at(below);
  return written && *written > moment.time_since_epoch();
}

Result<void> withdraw(const std::vector<Frozen>& frozen, StateStore& store) {
  for (const auto& [disk, instant] : frozen) {
    const auto written = written_at(disk);
    COHORT_TRY(store.stamp_frozen(disk.frozen.path, written ? std::optional(written_to_at(*written)) : std::nullopt));
  }
  return {};
}

// The merge moves what was written to a file of `below` after the instant of `above` into the latter's file.
Result<void> withdraw_if_written_below(const Frozen& above, const std::vector<Frozen>& below, StateStore& store) {
  for (const auto& base : below) {
    if (!is_written_since(base.disk, above.instant)) continue;
    COHORT_TRY(store.stamp_frozen(above.disk.frozen.path, written_to_at(*written_at(base.disk))));
  }
  return {};
}

// All of these disks have the same frozen file. One that somebody wrote to keeps its stamp.
Result<void> renew(const std::vector<Frozen>& frozen, StateStore& store) {
  const bool is_withdrawn =
      std::ranges::none_of(frozen, [](const Frozen& each) { return each.disk.stamp.has_value(); });
  if (frozen.empty() || !is_withdrawn) return {};
  const Layer& image = frozen.front().disk.frozen;
  const auto now = stamp_of_image(image.path, image.format);
  return now ? store.stamp_frozen(image.path, *now) : Result<void>();
}

std::string name_of(const Layer& image) {
  const auto data = data_file_of(image.path, image.format);
  const bool is_alone = !data || data->empty();
  return is_alone ? fmt::format("\"{}\"", image.path.string())
                  : fmt::format("\"{}\" (its data is in \"{}\")", image.path.string(), *data);
}

Failure written_to(const Snapshot& snapshot, const MemberSnapshot& member, const DiskSnapshot& disk) {
  return fail(ErrorCode::kCorrupt,
              "The frozen file {} of disk {} of \"{}\" was written to after the instant: somebody has changed that "
              "file, and what it held at the instant is lost. Delete the {} and take a new one.",
              name_of(disk.frozen), disk.target, member.name, noun_of(snapshot.kind));
}

}  // namespace

void stamp_frozen_files(Snapshot& snapshot) {
  for (auto& member : snapshot.members) {
    for (auto& disk : member.disks) {
      if (const auto stamp = stamp_of_image(disk.frozen.path, disk.frozen.format)) disk.stamp = *stamp;
    }
  }
}

Result<void> withdraw_stamps(const DiskSnapshot& merged, StateStore& store) {
  COHORT_ASSIGN(const auto all, store.snapshots());
  const auto below = disks_on(all, merged.frozen.path);
  const auto moving = disks_on(all, merged.overlay);
  for (const auto& above : moving) {
    COHORT_TRY(withdraw(disks_above(all, above.disk.frozen.path), store));
    COHORT_TRY(withdraw({above}, store));
    COHORT_TRY(withdraw_if_written_below(above, below, store));
  }
  // That of the snapshot that is being deleted is of no more use, and would accuse the merge when this is repeated.
  return below.size() == 1 ? store.stamp_frozen(merged.frozen.path, std::nullopt) : Result<void>();
}

Result<void> renew_stamps(const DiskSnapshot& merged, StateStore& store) {
  COHORT_ASSIGN(const auto all, store.snapshots());
  const auto moved = disks_on(all, merged.frozen.path);
  COHORT_TRY(renew(moved, store));
  for (const auto& above : moved) COHORT_TRY(renew(disks_above(all, above.disk.frozen.path), store));
  return {};
}

Result<void> check_unwritten(const Snapshot& snapshot, const MemberSnapshot& member, const DiskSnapshot& disk,
                             const std::vector<Snapshot>& all) {
  if (written_at(disk)) return written_to(snapshot, member, disk);
  std::vector<Path> files{disk.frozen.path};
  while (!files.empty()) {
    const Path file = files.back();
    files.pop_back();
    for (const auto& below : disks_below(all, file)) {
      if (is_written_since(below.disk, snapshot.instant)) return written_to(snapshot, member, below.disk);
      files.push_back(below.disk.frozen.path);
    }
  }
  return {};
}

}  // namespace cohort::service
