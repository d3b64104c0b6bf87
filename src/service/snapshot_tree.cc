#include "service/snapshot_tree.h"

#include <algorithm>
#include <functional>
#include <set>

#include "service/disk_identity.h"

namespace cohort::service {
namespace {

// The files that a disk goes on with.
struct Line {
  const DiskSnapshot* disk = nullptr;
  std::map<Path, Path> files;
};

using OnDisk = std::function<void(const Snapshot&, const MemberSnapshot&, const DiskSnapshot&)>;

void for_each_disk(const std::vector<Snapshot>& all, const OnDisk& look) {
  for (const auto& snapshot : all) {
    for (const auto& member : snapshot.members) {
      for (const auto& disk : member.disks) look(snapshot, member, disk);
    }
  }
}

// The names of the snapshots whose frozen files stand on `file`, all but the one `but`.
std::set<std::string> branches_on(const Path& file, const Path& but, const std::vector<Snapshot>& all) {
  std::set<std::string> names;
  for_each_disk(all, [&](const Snapshot& snapshot, const MemberSnapshot&, const DiskSnapshot& disk) {
    if (disk.stands_on == file && disk.frozen.path != but) names.insert(snapshot.name);
  });
  return names;
}

// A merge rewrites `frozen`, and takes away the overlay: only one file may stand on each.
std::set<std::string> harmed_by_merge(const DiskSnapshot& disk, const std::vector<Snapshot>& all) {
  if (disk.overlay.empty()) return branches_on(disk.frozen.path, {}, all);
  std::set<std::string> names = branches_on(disk.frozen.path, disk.overlay, all);
  for_each_disk(all, [&](const Snapshot&, const MemberSnapshot&, const DiskSnapshot& above) {
    if (above.frozen.path == disk.overlay) names.merge(branches_on(disk.overlay, above.overlay, all));
  });
  return names;
}

// As StateStore::move_frozen.
void move_frozen(const DiskSnapshot& merged, std::vector<Snapshot>& all) {
  for (auto& snapshot : all) {
    for (auto& member : snapshot.members) {
      for (auto& disk : member.disks) {
        if (disk.stands_on == merged.overlay) disk.stands_on = merged.frozen.path;
        if (disk.frozen.path != merged.overlay) continue;
        disk.frozen = merged.frozen;
        disk.stands_on = merged.stands_on;
      }
    }
  }
}

}  // namespace

std::map<Path, Path> line_below(const std::vector<Snapshot>& all, const Path& top, const Path& above) {
  std::map<Path, Path> below;
  for_each_disk(all, [&](const Snapshot&, const MemberSnapshot&, const DiskSnapshot& disk) {
    if (!disk.stands_on.empty()) below[disk.frozen.path] = disk.stands_on;
  });
  std::map<Path, Path> line{{top, above}};
  for (auto next = below.find(top); next != below.end(); next = below.find(next->second)) {
    if (!line.emplace(next->second, next->first).second) break;
  }
  return line;
}

std::vector<Snapshot> on_line_of(const Snapshot& applied, const std::vector<Snapshot>& all) {
  std::map<std::pair<MachineId, std::string>, Line> lines;
  for (const auto& member : applied.members) {
    for (const auto& disk : member.disks) {
      lines[{member.machine, disk.target}] = {&disk, line_below(all, disk.frozen.path, disk.overlay)};
    }
  }
  std::vector<Snapshot> changed;
  for (Snapshot snapshot : all) {
    bool is_changed = false;
    for (auto& member : snapshot.members) {
      for (auto& disk : member.disks) {
        const auto line = lines.find({member.machine, disk.target});
        // One that was in its place is not gone back to, and keeps the files that it has.
        if (line == lines.end() || is_another_disk(*line->second.disk, disk)) continue;
        const auto above = line->second.files.find(disk.frozen.path);
        const Path overlay = above == line->second.files.end() ? Path() : above->second;
        is_changed = is_changed || overlay != disk.overlay;
        disk.overlay = overlay;
      }
    }
    if (is_changed) changed.push_back(std::move(snapshot));
  }
  return changed;
}

std::set<std::string> branches_on_files_of(const Snapshot& snapshot, const std::vector<Snapshot>& all) {
  std::set<std::string> names;
  for (const auto& member : snapshot.members) {
    for (const auto& disk : member.disks) names.merge(harmed_by_merge(disk, all));
  }
  names.erase(snapshot.name);
  return names;
}

std::set<std::string> sharing_files_of(const Snapshot& snapshot, const std::vector<Snapshot>& all) {
  std::set<std::string> names = branches_on_files_of(snapshot, all);
  if (names.empty()) return names;
  for (const auto& member : snapshot.members) {
    for (const auto& disk : member.disks) names.merge(branches_on(disk.frozen.path, {}, all));
  }
  names.erase(snapshot.name);
  return names;
}

std::vector<Snapshot> after_merge_of(const Snapshot& snapshot, std::vector<Snapshot> all) {
  std::erase_if(all, [&](const Snapshot& each) { return each.id == snapshot.id; });
  for (const auto& member : snapshot.members) {
    for (const auto& disk : member.disks) {
      if (!disk.overlay.empty()) move_frozen(disk, all);
    }
  }
  return all;
}

std::optional<Snapshot> shared_by_none(const std::vector<Snapshot>& all, const std::set<SnapshotId>& passed_over) {
  for (const auto& snapshot : all) {
    if (snapshot.state != SnapshotState::kShared || passed_over.contains(snapshot.id)) continue;
    if (branches_on_files_of(snapshot, all).empty()) return snapshot;
  }
  return std::nullopt;
}

std::vector<Snapshot> seen_of(const std::vector<Snapshot>& all) {
  const auto seen_below = [&](std::optional<SnapshotId> id) {
    for (auto found = all.begin(); id; id = found->parent) {
      found = std::ranges::find(all, *id, &Snapshot::id);
      if (found == all.end() || found->state != SnapshotState::kShared) break;
    }
    return id;
  };
  std::vector<Snapshot> seen;
  std::optional<SnapshotId> current;
  for (const auto& snapshot : all) {
    if (snapshot.state != SnapshotState::kShared) {
      seen.push_back(snapshot);
      seen.back().parent = seen_below(snapshot.parent);
    } else if (snapshot.is_current) {
      current = seen_below(snapshot.parent);
    }
  }
  if (const auto found = std::ranges::find(seen, current, &Snapshot::id); current && found != seen.end()) {
    found->is_current = true;
  }
  return seen;
}

std::vector<Snapshot> subtree_of(const Snapshot& snapshot, const std::vector<Snapshot>& all) {
  std::vector<Snapshot> found;
  for (const auto& other : all) {
    if (other.parent != snapshot.id || other.id == snapshot.id) continue;
    const auto below = subtree_of(other, all);
    found.insert(found.end(), below.begin(), below.end());
  }
  const bool is_one = !is_reference_point(snapshot) && snapshot.state != SnapshotState::kShared;
  if (is_one) found.push_back(snapshot);
  return found;
}

}  // namespace cohort::service
