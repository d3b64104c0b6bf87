#include "store/rows.h"
#include "store/tables.h"

namespace cohort::store {
namespace {

constexpr const char* kSelect =
    "SELECT id, name, collection, collection_name, state, instant, fence_deadline_ms, fence_raised_us, overlap_begin, "
    "overlap_end, asked, freeze_deadline_ms, kept_for, kind, reference_point, parent, arrival, "
    "state IN ('ready', 'shared') AND arrival = (SELECT max(c.arrival) FROM snapshot c "
    "WHERE c.collection = snapshot.collection AND c.state IN ('ready', 'shared')) FROM snapshot ";

// A member's place in the tables.
struct MemberKey {
  const SnapshotId& snapshot;
  std::int64_t position;
};

Failure no_snapshot(const SnapshotId& id) { return fail(ErrorCode::kNotFound, "There is no snapshot {}.", id.str()); }

std::optional<std::uint64_t> inode_of(const std::optional<FileStamp>& stamp) {
  return stamp ? std::optional(stamp->inode) : std::nullopt;
}
std::optional<std::uint64_t> size_of(const std::optional<FileStamp>& stamp) {
  return stamp ? std::optional(stamp->size) : std::nullopt;
}
std::optional<std::int64_t> time_of(const std::optional<FileStamp>& stamp) {
  return stamp ? std::optional(stamp->modified_ns) : std::nullopt;
}

std::optional<FileStamp> read_stamp(Row& row) {
  const auto inode = row.optional_integer();
  const auto size = row.optional_integer();
  const auto modified = row.optional_integer();
  if (!inode || !size || !modified) {
    return std::nullopt;
  }
  return FileStamp{static_cast<std::uint64_t>(*inode), static_cast<std::uint64_t>(*size), *modified};
}

void write_disks(SQLite::Database& database, const MemberKey& key, const std::vector<DiskSnapshot>& disks) {
  int position = 0;
  for (const DiskSnapshot& disk : disks) {
    execute(database,
            "INSERT INTO snapshot_disk (snapshot, member, position, target, frozen_path, frozen_format, overlay, "
            "virtual_size, merged, frozen_inode, frozen_size, frozen_modified_ns, disk_id, tracking_id, stands_on) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            key.snapshot, key.position, position++, disk.target, disk.frozen.path, disk.frozen.format, disk.overlay,
            disk.virtual_size, disk.merged, inode_of(disk.stamp), size_of(disk.stamp), time_of(disk.stamp), disk.id,
            disk.tracking_id, disk.stands_on);
  }
}

void write_left_out(SQLite::Database& database, const MemberKey& key, const std::vector<LeftOutDisk>& disks) {
  int position = 0;
  for (const LeftOutDisk& disk : disks) {
    execute(database,
            "INSERT INTO snapshot_left_out (snapshot, member, position, target, reason, source) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            key.snapshot, key.position, position++, disk.target, to_string(disk.reason), disk.source);
  }
}

void write_member(SQLite::Database& database, const MemberKey& key, const MemberSnapshot& member) {
  std::optional<WallTime> stopped;
  std::optional<WallTime> resumed;
  if (member.pause) {
    stopped = member.pause->stopped;
    resumed = member.pause->resumed;
  }
  const MemberConsistency& consistency = member.consistency;
  const MemorySnapshot memory = member.memory.value_or(MemorySnapshot{});
  execute(
      database,
      "INSERT INTO snapshot_member (snapshot, position, machine, name, power, configuration, stopped, resumed, "
      "has_nvram, has_tpm, consistency, consistency_reason, frozen_by_others, frozen_us, may_be_frozen, definition, "
      "memory_path, memory_bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      key.snapshot, key.position, member.machine, member.name, to_string(member.power), member.configuration, stopped,
      resumed, member.has_nvram, member.has_tpm, to_string(consistency.level), consistency.reason,
      consistency.frozen_by_others, consistency.frozen, consistency.may_be_frozen, member.definition, memory.file,
      memory.bytes);
  write_disks(database, key, member.disks);
  write_left_out(database, key, member.left_out);
}

void write_members(SQLite::Database& database, const Snapshot& snapshot) {
  std::int64_t position = 0;
  for (const MemberSnapshot& member : snapshot.members) {
    write_member(database, {snapshot.id, position++}, member);
  }
}

std::vector<DiskSnapshot> read_disks(SQLite::Database& database, const MemberKey& key) {
  auto found = prepare(database,
                       "SELECT target, frozen_path, frozen_format, overlay, virtual_size, merged, frozen_inode, "
                       "frozen_size, frozen_modified_ns, disk_id, tracking_id, stands_on FROM snapshot_disk "
                       "WHERE snapshot = ? AND member = ? ORDER BY position",
                       key.snapshot, key.position);
  std::vector<DiskSnapshot> disks;
  while (found.executeStep()) {
    Row row(found);
    DiskSnapshot& disk = disks.emplace_back();
    disk.target = row.text();
    disk.frozen.path = row.path();
    disk.frozen.format = row.text();
    disk.overlay = row.path();
    disk.virtual_size = row.size();
    disk.merged = row.flag();
    disk.stamp = read_stamp(row);
    disk.id = row.id<DiskId>();
    disk.tracking_id = row.id<TrackingId>();
    disk.stands_on = row.path();
  }
  return disks;
}

std::vector<LeftOutDisk> read_left_out(SQLite::Database& database, const MemberKey& key) {
  auto found = prepare(database,
                       "SELECT target, reason, source FROM snapshot_left_out WHERE snapshot = ? AND member = ? "
                       "ORDER BY position",
                       key.snapshot, key.position);
  std::vector<LeftOutDisk> disks;
  while (found.executeStep()) {
    Row row(found);
    LeftOutDisk& disk = disks.emplace_back();
    disk.target = row.text();
    disk.reason = readable(left_out_reason_from(row.text()));
    disk.source = row.text();
  }
  return disks;
}

MemberConsistency read_consistency(Row& row) {
  MemberConsistency consistency;
  consistency.level = readable(consistency_from(row.text()));
  consistency.reason = row.text();
  consistency.frozen_by_others = row.flag();
  if (const auto frozen = row.optional_integer()) consistency.frozen = Microseconds(*frozen);
  consistency.may_be_frozen = row.flag();
  return consistency;
}

MemberSnapshot read_member(SQLite::Database& database, const SnapshotId& snapshot, SQLite::Statement& statement) {
  Row row(statement);
  const MemberKey key{snapshot, row.integer()};
  MemberSnapshot member;
  member.machine = row.id<MachineId>();
  member.name = row.text();
  member.power = readable(power_state_from(row.text()));
  member.configuration = row.text();
  const auto stopped = row.optional_time();
  const auto resumed = row.optional_time();
  if (stopped && resumed) {
    member.pause = Pause{*stopped, *resumed};
  }
  member.has_nvram = row.flag();
  member.has_tpm = row.flag();
  member.consistency = read_consistency(row);
  member.definition = row.text();
  MemorySnapshot memory{row.path(), 0};
  memory.bytes = row.size();
  if (!memory.file.empty()) member.memory = std::move(memory);
  member.disks = read_disks(database, key);
  member.left_out = read_left_out(database, key);
  return member;
}

void read_members(SQLite::Database& database, Snapshot& snapshot) {
  auto found = prepare(database,
                       "SELECT position, machine, name, power, configuration, stopped, resumed, has_nvram, has_tpm, "
                       "consistency, consistency_reason, frozen_by_others, frozen_us, may_be_frozen, definition, "
                       "memory_path, memory_bytes FROM snapshot_member WHERE snapshot = ? ORDER BY position",
                       snapshot.id);
  while (found.executeStep()) {
    snapshot.members.push_back(read_member(database, snapshot.id, found));
  }
}

Snapshot read_row(SQLite::Database& database, SQLite::Statement& statement) {
  Row row(statement);
  Snapshot snapshot;
  snapshot.id = row.id<SnapshotId>();
  snapshot.name = row.text();
  snapshot.collection = row.id<CollectionId>();
  snapshot.collection_name = row.text();
  snapshot.state = readable(snapshot_state_from(row.text()));
  snapshot.instant = row.time();
  snapshot.fence.deadline = Milliseconds(row.integer());
  snapshot.fence.raised = Microseconds(row.integer());
  snapshot.fence.overlap_begin = row.optional_time();
  snapshot.fence.overlap_end = row.optional_time();
  snapshot.asked = readable(consistency_wish_from(row.text()));
  snapshot.fence.freeze_deadline = Milliseconds(row.integer());
  snapshot.kept_for = row.path();
  snapshot.kind = readable(snapshot_kind_from(row.text()));
  snapshot.reference_point = row.id<ReferencePointId>();
  if (const auto parent = row.optional_text()) snapshot.parent = readable(SnapshotId::parse(*parent));
  snapshot.arrival = row.size();
  snapshot.is_current = row.flag();
  read_members(database, snapshot);
  return snapshot;
}

}  // namespace

Result<void> add_snapshot(SQLite::Database& database, const Snapshot& snapshot) {
  const int added = execute(
      database,
      "INSERT OR IGNORE INTO snapshot (id, name, collection, collection_name, state, instant, "
      "fence_deadline_ms, fence_raised_us, overlap_begin, overlap_end, asked, freeze_deadline_ms, kept_for, kind, "
      "reference_point, parent, arrival) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      snapshot.id, snapshot.name, snapshot.collection, snapshot.collection_name, to_string(snapshot.state),
      snapshot.instant, snapshot.fence.deadline, snapshot.fence.raised, snapshot.fence.overlap_begin,
      snapshot.fence.overlap_end, to_string(snapshot.asked), snapshot.fence.freeze_deadline, snapshot.kept_for,
      to_string(snapshot.kind), snapshot.reference_point, snapshot.parent, snapshot.arrival);
  if (added == 0) {
    return fail(ErrorCode::kAlreadyExists, "There is a snapshot {} already.", snapshot.id.str());
  }
  write_members(database, snapshot);
  return {};
}

Result<void> update_snapshot(SQLite::Database& database, const Snapshot& snapshot) {
  const int changed = execute(
      database,
      "UPDATE snapshot SET name = ?, collection = ?, collection_name = ?, state = ?, instant = ?, "
      "fence_deadline_ms = ?, fence_raised_us = ?, overlap_begin = ?, overlap_end = ?, asked = ?, "
      "freeze_deadline_ms = ?, kept_for = ?, kind = ?, reference_point = ?, parent = ?, arrival = ? WHERE id = ?",
      snapshot.name, snapshot.collection, snapshot.collection_name, to_string(snapshot.state), snapshot.instant,
      snapshot.fence.deadline, snapshot.fence.raised, snapshot.fence.overlap_begin, snapshot.fence.overlap_end,
      to_string(snapshot.asked), snapshot.fence.freeze_deadline, snapshot.kept_for, to_string(snapshot.kind),
      snapshot.reference_point, snapshot.parent, snapshot.arrival, snapshot.id);
  if (changed == 0) {
    return no_snapshot(snapshot.id);
  }
  execute(database, "DELETE FROM snapshot_member WHERE snapshot = ?", snapshot.id);
  write_members(database, snapshot);
  return {};
}

Result<void> remove_snapshot(SQLite::Database& database, const SnapshotId& id) {
  // Only where this was the last to be arrived at does its arrival make a difference to its parent.
  execute(database,
          "UPDATE snapshot SET arrival = max(arrival, (SELECT arrival FROM snapshot WHERE id = ?)) "
          "WHERE id = (SELECT parent FROM snapshot WHERE id = ?)",
          id, id);
  execute(database, "UPDATE snapshot SET parent = (SELECT parent FROM snapshot WHERE id = ?) WHERE parent = ?", id, id);
  if (execute(database, "DELETE FROM snapshot WHERE id = ?", id) == 0) {
    return no_snapshot(id);
  }
  return {};
}

Result<Snapshot> read_snapshot(SQLite::Database& database, const SnapshotId& id) {
  auto found = prepare(database, (std::string(kSelect) + "WHERE id = ?").c_str(), id);
  if (!found.executeStep()) {
    return no_snapshot(id);
  }
  return read_row(database, found);
}

std::vector<Snapshot> read_snapshots(SQLite::Database& database) {
  auto found = prepare(database, (std::string(kSelect) + "ORDER BY instant, id").c_str());
  std::vector<Snapshot> all;
  while (found.executeStep()) {
    all.push_back(read_row(database, found));
  }
  return all;
}

void move_frozen(SQLite::Database& database, const Path& from, const Layer& to) {
  execute(database, "UPDATE snapshot_disk SET stands_on = ? WHERE stands_on = ?", to.path, from);
  execute(database,
          "UPDATE snapshot_disk SET stands_on = coalesce((SELECT below.stands_on FROM snapshot_disk below "
          "WHERE below.frozen_path = ? LIMIT 1), '') WHERE frozen_path = ?",
          to.path, from);
  execute(database, "UPDATE snapshot_disk SET frozen_path = ?, frozen_format = ? WHERE frozen_path = ?", to.path,
          to.format, from);
}

void stamp_frozen(SQLite::Database& database, const Path& frozen, const std::optional<FileStamp>& stamp) {
  execute(database,
          "UPDATE snapshot_disk SET frozen_inode = ?, frozen_size = ?, frozen_modified_ns = ? WHERE frozen_path = ?",
          inode_of(stamp), size_of(stamp), time_of(stamp), frozen);
}

void mark_merged(SQLite::Database& database, const Path& overlay, bool merged) {
  execute(database, "UPDATE snapshot_disk SET merged = ? WHERE overlay = ?", merged, overlay);
}

}  // namespace cohort::store
