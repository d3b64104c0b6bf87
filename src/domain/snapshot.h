// A collection at one instant.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/file_stamp.h"
#include "domain/consistency.h"
#include "domain/ids.h"
#include "domain/machine.h"

namespace cohort {

enum class SnapshotKind {
  kRecovery,        // the disks, for backups
  kReferencePoint,  // what remains of a recovery snapshot: the base of differences, and no snapshot any more
  kStandard,        // with the memory of its machines unless that was not wanted, to be gone back to
};
[[nodiscard]] std::string_view to_string(SnapshotKind kind);  // "recovery", "reference-point", "standard"
[[nodiscard]] Result<SnapshotKind> snapshot_kind_from(std::string_view name);
[[nodiscard]] std::string_view noun_of(SnapshotKind kind);  // "snapshot", "reference point"

enum class SnapshotState {
  kCreating,  // the plan is in the store; overlays may exist, members may stand still
  kReady,     // every member is captured
  // Deleted, and in no list; its files stay while several branches stand on them, or cannot be merged
  // (service/shared_layers.h).
  kShared,
  kDeleting,  // being merged back; goes on after a crash
};
[[nodiscard]] std::string_view to_string(SnapshotState state);  // "creating", "ready", "shared", "deleting"
[[nodiscard]] Result<SnapshotState> snapshot_state_from(std::string_view name);

// True if a snapshot may go from one state to the other.
[[nodiscard]] bool is_allowed(SnapshotState from, SnapshotState to);

// A disk at the instant: `frozen` holds it, `overlay` takes what the machine writes since.
struct DiskSnapshot {
  std::string target;  // "vda"
  Layer frozen;        // with its backing files, the content at the instant
  // A qcow2 file of ours whose backing file is `frozen`; empty if the machine has gone back to another snapshot, and
  // does not go on from here.
  Path overlay;
  std::uint64_t virtual_size = 0;  // bytes
  // Of the frozen file when its content was that of the instant last: when the fence had come down, or after a merge
  // into it. Nothing if it was not taken, or while a merge is under way.
  std::optional<FileStamp> stamp{};
  // The overlay's content is in `frozen`, and the machine was about to leave the overlay: see
  // Hypervisor::merge_overlay.
  bool merged = false;
  Path stands_on{};          // the backing file of `frozen`; empty if it has none
  DiskId id{};               // nil if the snapshot was taken by a version that knew none
  TrackingId tracking_id{};  // of a reference point, else nil
};

// When a machine stood still, by QEMU's own STOP and RESUME events on the host's wall clock.
struct Pause {
  WallTime stopped;
  WallTime resumed;
  [[nodiscard]] Microseconds length() const { return resumed - stopped; }
};

// The memory of a machine at the instant, as libvirt saves it.
struct MemorySnapshot {
  Path file;
  std::uint64_t bytes = 0;  // of the file; while the snapshot is planned or made: the most that it can become
};

struct MemberSnapshot {
  MachineId machine;
  std::string name;                     // at the instant
  PowerState power = PowerState::kOff;  // at the instant
  std::string configuration;            // libvirt's domain XML at the instant, naming the frozen files
  std::vector<DiskSnapshot> disks;
  std::vector<LeftOutDisk> left_out;
  std::optional<Pause> pause;  // of machines that ran and whose events were seen; else nothing was measured
  bool has_nvram = false;      // kept beside the state: see StateStore::machine_state_folder
  bool has_tpm = false;
  MemberConsistency consistency;
  // Of a standard snapshot: libvirt's definition of the machine, with its secrets, naming the frozen files; else empty.
  std::string definition{};
  std::optional<MemorySnapshot> memory{};  // in a standard snapshot, of machines that ran or were paused
};

// What the fence was measured to be.
struct FenceRecord {
  Milliseconds deadline{0};
  // From the first order to stand still to the last answer that all run again, by this process's monotonic clock.
  Microseconds raised{0};
  // The interval in which all running members stood still together; one instant is proven when begin < end.
  // Absent when no member ran, or when one of their pauses was not measured.
  std::optional<WallTime> overlap_begin;  // latest STOP
  std::optional<WallTime> overlap_end;    // earliest RESUME
  // The longest time the freezing of all members may take; 0 if no guest is asked to freeze. No file system stays
  // frozen for longer than both deadlines together.
  Milliseconds freeze_deadline{0};

  [[nodiscard]] bool is_proven() const { return overlap_begin && overlap_end && *overlap_begin < *overlap_end; }
};

struct Snapshot {
  SnapshotId id;  // of the instant: packages name it, whatever became of the snapshot
  SnapshotKind kind = SnapshotKind::kRecovery;
  ReferencePointId reference_point{};  // of kReferencePoint, else nil
  std::string name;
  CollectionId collection;
  std::string collection_name;  // at the instant; the collection may be renamed or deleted later
  SnapshotState state = SnapshotState::kCreating;
  WallTime instant;  // the begin of the overlap if measured, else the wall clock while the fence stood
  FenceRecord fence;
  ConsistencyWish asked = ConsistencyWish::kCrash;
  // The folder with the packages for whose next one it is the base, and an incremental backup deletes it when there is
  // a newer base; empty: it stays until its user deletes it.
  Path kept_for;
  std::vector<MemberSnapshot> members;
  // The snapshot that was the collection's current one when it was taken; if that was deleted, the one before it.
  std::optional<SnapshotId> parent{};
  std::uint64_t arrival = 0;  // the greatest is that of the snapshot that was taken or applied last
  bool is_current = false;    // the one that the collection goes on from; told by the store
};

[[nodiscard]] inline bool is_reference_point(const Snapshot& snapshot) {
  return snapshot.kind == SnapshotKind::kReferencePoint;
}
// The id under which people know it: that of the reference point, or of the snapshot.
[[nodiscard]] std::string public_id(const Snapshot& snapshot);
// A recovery snapshot becomes a reference point with an identity of its own; each disk gets what it lacks.
void make_reference_point(Snapshot& snapshot);
// The way back.
void make_recovery_snapshot(Snapshot& snapshot);

// The overlap of the members' pauses; both ends are absent if a member that ran has no pause or if none ran.
void measure_overlap(const std::vector<MemberSnapshot>& members, FenceRecord& fence);

// How fast memory is taken to be saved, that of all machines together, when nothing is measured yet: what a middling
// disk writes. Bytes per second.
inline constexpr std::uint64_t kAssumedSavingRate = 200ULL << 20U;
[[nodiscard]] std::uint64_t memory_bytes(const Snapshot& snapshot);
[[nodiscard]] Milliseconds estimated_saving(const Snapshot& snapshot);

// "<folder>/<stem>.cohort-<first 8 of the id>.qcow2" beside the disk's active file. A stem that already ends in
// ".cohort-xxxxxxxx" loses it first, so that names do not grow with every snapshot.
[[nodiscard]] Path overlay_path(const Path& active, const SnapshotId& id);
// True for names that overlay_path makes.
[[nodiscard]] bool is_overlay_name(const Path& path);

}  // namespace cohort
