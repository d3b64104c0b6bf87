#include "domain/snapshot.h"

#include <algorithm>

#include "domain/named_value.h"

namespace cohort {
namespace {

constexpr std::array<NamedValue<SnapshotKind>, 3> kKinds{{
    {SnapshotKind::kRecovery, "recovery"},
    {SnapshotKind::kReferencePoint, "reference-point"},
    {SnapshotKind::kStandard, "standard"},
}};

constexpr std::array<NamedValue<SnapshotState>, 4> kStates{{
    {SnapshotState::kCreating, "creating"},
    {SnapshotState::kReady, "ready"},
    {SnapshotState::kShared, "shared"},
    {SnapshotState::kDeleting, "deleting"},
}};

constexpr std::string_view kMark = ".cohort-";
constexpr std::size_t kShortId = 8;

bool is_lower_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// The stem without its ".cohort-xxxxxxxx", or nothing if it has none.
std::optional<std::string_view> without_mark(std::string_view stem) {
  if (stem.size() < kMark.size() + kShortId) return std::nullopt;
  const auto start = stem.size() - kMark.size() - kShortId;
  if (stem.substr(start, kMark.size()) != kMark || !is_lower_hex(stem.substr(start + kMark.size()))) {
    return std::nullopt;
  }
  return stem.substr(0, start);
}

}  // namespace

std::string_view to_string(SnapshotKind kind) { return name_of(kKinds, kind); }
Result<SnapshotKind> snapshot_kind_from(std::string_view name) { return value_of(kKinds, name, "kind of snapshot"); }
std::string_view noun_of(SnapshotKind kind) {
  return kind == SnapshotKind::kReferencePoint ? "reference point" : "snapshot";
}

std::string_view to_string(SnapshotState state) { return name_of(kStates, state); }
Result<SnapshotState> snapshot_state_from(std::string_view name) {
  return value_of(kStates, name, "state of a snapshot");
}

bool is_allowed(SnapshotState from, SnapshotState to) {
  return (from == SnapshotState::kCreating && to == SnapshotState::kReady) ||
         (from == SnapshotState::kReady && to == SnapshotState::kShared) ||
         (from == SnapshotState::kDeleting && to == SnapshotState::kShared) ||
         (from != SnapshotState::kDeleting && to == SnapshotState::kDeleting);
}

std::string public_id(const Snapshot& snapshot) {
  return is_reference_point(snapshot) ? snapshot.reference_point.str() : snapshot.id.str();
}

void make_reference_point(Snapshot& snapshot) {
  snapshot.kind = SnapshotKind::kReferencePoint;
  snapshot.reference_point = ReferencePointId::generate();
  for (auto& member : snapshot.members) {
    for (auto& disk : member.disks) {
      if (disk.id.is_nil()) disk.id = DiskId::generate();
      disk.tracking_id = TrackingId::generate();
    }
  }
}

void make_recovery_snapshot(Snapshot& snapshot) {
  snapshot.kind = SnapshotKind::kRecovery;
  snapshot.reference_point = {};
  for (auto& member : snapshot.members) {
    for (auto& disk : member.disks) disk.tracking_id = {};
  }
}

void measure_overlap(const std::vector<MemberSnapshot>& members, FenceRecord& fence) {
  fence.overlap_begin.reset();
  fence.overlap_end.reset();
  std::optional<WallTime> begin;
  std::optional<WallTime> end;
  for (const auto& member : members) {
    if (member.power != PowerState::kRunning) continue;
    if (!member.pause) return;
    begin = begin ? std::max(*begin, member.pause->stopped) : member.pause->stopped;
    end = end ? std::min(*end, member.pause->resumed) : member.pause->resumed;
  }
  fence.overlap_begin = begin;
  fence.overlap_end = end;
}

std::uint64_t memory_bytes(const Snapshot& snapshot) {
  std::uint64_t bytes = 0;
  for (const auto& member : snapshot.members) bytes += member.memory ? member.memory->bytes : 0;
  return bytes;
}

Milliseconds estimated_saving(const Snapshot& snapshot) {
  return Milliseconds(memory_bytes(snapshot) * 1000 / kAssumedSavingRate);
}

Path overlay_path(const Path& active, const SnapshotId& id) {
  const std::string stem = active.stem().string();
  const std::string_view base = without_mark(stem).value_or(stem);
  return active.parent_path() / fmt::format("{}{}{}.qcow2", base, kMark, id.short_str());
}

bool is_overlay_name(const Path& path) {
  return path.extension() == ".qcow2" && without_mark(path.stem().string()).has_value();
}

}  // namespace cohort
