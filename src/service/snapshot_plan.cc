#include "service/snapshot_plan.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>

#include "base/parallel.h"
#include "service/disk_identity.h"
#include "service/lookup.h"
#include "service/overlay_names.h"

namespace cohort::service {
namespace {

constexpr Milliseconds kShortestDeadline{100};
constexpr Milliseconds kLongestDeadline{30'000};
constexpr Milliseconds kLongestWithMemory{3'600'000};
constexpr Milliseconds kUsualDeadline{2'000};
constexpr Milliseconds kShortestFreeze{1'000};
constexpr Milliseconds kLongestFreeze{300'000};
// What an overlay takes at once, and a little for what is written until somebody looks.
constexpr std::uint64_t kSpacePerOverlay = 16ULL << 20U;

Result<void> check_between(std::string_view what, Milliseconds deadline, Milliseconds shortest, Milliseconds longest) {
  if (deadline >= shortest && deadline <= longest) return {};
  return fail(ErrorCode::kInvalidArgument, "A {} of {} ms is outside of {} to {} ms.", what, deadline.count(),
              shortest.count(), longest.count());
}

bool keeps_memory(const TakeSnapshotRequest& request) {
  return request.kind == SnapshotKind::kStandard && !request.without_memory;
}

// A guest whose memory is kept goes on from it, and would find its file systems frozen.
Result<void> check_unfrozen(const TakeSnapshotRequest& request) {
  if (!keeps_memory(request) || request.consistency == ConsistencyWish::kCrash) return {};
  return fail(
      ErrorCode::kInvalidArgument,
      "A snapshot with memory needs no other consistency than crash: its machines go on as if nothing had been. "
      "To freeze their guests, leave the memory out with --disk-only.");
}

Result<void> check_request(const TakeSnapshotRequest& request) {
  if (request.deadline) {
    COHORT_TRY(check_between("deadline", *request.deadline, kShortestDeadline,
                             keeps_memory(request) ? kLongestWithMemory : kLongestDeadline));
  }
  COHORT_TRY(check_unfrozen(request));
  COHORT_TRY(check_between("freeze deadline", request.freeze_deadline, kShortestFreeze, kLongestFreeze));
  return request.name.empty() ? Result<void>{} : check_snapshot_name(request.name);
}

// "<collection> 2026-01-31 23:59:59", with a number behind it if that is taken.
Result<std::string> name_for(const TakeSnapshotRequest& request, const Collection& collection,
                             const std::vector<Snapshot>& known, const Clock& clock) {
  const auto with = [&](const std::string& name) { return std::ranges::find(known, name, &Snapshot::name); };
  const auto is_taken = [&](const std::string& name) { return with(name) != known.end(); };
  if (!request.name.empty()) {
    if (is_taken(request.name)) {
      return fail(ErrorCode::kAlreadyExists, "There is a {} named \"{}\" already: choose another name.",
                  noun_of(with(request.name)->kind), request.name);
    }
    return request.name;
  }
  std::string moment = format_utc(clock.wall()).substr(0, 19);
  moment[10] = ' ';
  const std::string name = fmt::format("{} {}", collection.name, moment);
  std::string candidate = name;
  for (int number = 2; is_taken(candidate); ++number) candidate = fmt::format("{} ({})", name, number);
  return candidate;
}

// Several sentences as one error: the operator mends all of them in one go.
class Objections {
 public:
  void add(ErrorCode code, std::string sentence) {
    if (sentences_.empty()) code_ = code;
    sentences_.push_back(std::move(sentence));
  }
  [[nodiscard]] Result<void> as_result() const {
    if (sentences_.empty()) return {};
    return Failure{Error{code_, fmt::format("{}", fmt::join(sentences_, " ")), {}, {}}};
  }

 private:
  ErrorCode code_ = ErrorCode::kInvalidState;
  std::vector<std::string> sentences_;
};

void object_to_disks(const MachineDetails& machine, bool ignore, Objections& objections) {
  for (const auto& disk : machine.left_out) {
    if (is_harmless(disk.reason) || ignore) continue;
    objections.add(ErrorCode::kUnsupported,
                   fmt::format("Disk {} of \"{}\" ({}) cannot be snapshotted: detach it, or leave it out with "
                               "--ignore-non-snapshottable.",
                               disk.target, machine.summary.name, to_string(disk.reason)));
  }
}

// What is gone when it stops cannot be gone back to, and memory is kept beside a disk.
void object_to_standard(const MachineDetails& machine, const TakeSnapshotRequest& request, Objections& objections) {
  if (request.kind != SnapshotKind::kStandard) return;
  const std::string& name = machine.summary.name;
  if (machine.definition.empty()) {
    objections.add(ErrorCode::kUnsupported,
                   fmt::format("The machine \"{}\" has no definition, and is gone when it stops: a standard snapshot "
                               "could not be applied. Define it (virsh dumpxml, virsh define) first.",
                               name));
  }
  if (keeps_memory(request) && machine.disks.empty() && machine.summary.power != PowerState::kOff) {
    objections.add(ErrorCode::kUnsupported,
                   fmt::format("The machine \"{}\" has no disk that can be snapshotted, beside which its memory would "
                               "be kept: leave the memory out with --disk-only.",
                               name));
  }
}

// Its disk would be frozen on top of a snapshot that nobody here can delete, and whose deletion elsewhere would take
// the file away.
void object_to_foreign_overlays(const MachineDetails& machine, const std::vector<Snapshot>& known,
                                Objections& objections) {
  for (const auto& disk : machine.disks) {
    const Path& active = disk.chain.front().path;
    if (disk.chain.size() < 2 || !is_overlay_name(active) || is_recorded(known, active)) continue;
    objections.add(
        ErrorCode::kInvalidState,
        fmt::format("Disk {} of \"{}\" is on the overlay \"{}\", which no snapshot of this state knows: delete "
                    "its snapshot where it was taken (--state), or, if that state is lost or has forgotten it, merge "
                    "it with `cohort "
                    "host doctor --mend unrecorded_overlay:{}`.",
                    disk.target, machine.summary.name, active.string(), active.string()));
  }
}

Result<std::vector<MachineDetails>> inspect_all(const Collection& collection,
                                                const std::vector<MachineMember>& machines,
                                                const TakeSnapshotRequest& request, Hypervisor& hypervisor,
                                                const std::vector<Snapshot>& known) {
  auto inspected = run_in_parallel(machines.size(), [&](std::size_t i) { return hypervisor.inspect(machines[i].id); });
  Objections objections;
  std::vector<MachineDetails> details;
  for (std::size_t i = 0; i < machines.size(); ++i) {
    auto& outcome = inspected[i];
    if (outcome) {
      for (const auto& obstacle : outcome->obstacles) objections.add(ErrorCode::kInvalidState, obstacle);
      object_to_disks(*outcome, request.ignore_non_snapshottable, objections);
      object_to_foreign_overlays(*outcome, known, objections);
      object_to_standard(*outcome, request, objections);
      details.push_back(*std::move(outcome));
    } else if (outcome.error().code == ErrorCode::kNotFound) {
      objections.add(ErrorCode::kNotFound,
                     fmt::format("The machine \"{}\" of the collection \"{}\" does not exist any more: define it "
                                 "again, or remove it with `cohort collection remove`.",
                                 machines[i].name, collection.name));
    } else {
      return Failure{std::move(outcome).error()};
    }
  }
  COHORT_TRY(objections.as_result());
  return details;
}

// Beside the first disk: it is large, and the state's file system must never run out of room.
MemorySnapshot memory_of(const MachineDetails& machine, const MemberSnapshot& member) {
  return {Path(member.disks.front().overlay).replace_extension(".mem"), machine.memory_bytes};
}

MemberSnapshot member_of(const MachineDetails& machine, const TakeSnapshotRequest& request, OverlayNames& names,
                         const std::vector<Snapshot>& known) {
  MemberSnapshot member;
  member.machine = machine.summary.id;
  member.name = machine.summary.name;
  member.power = machine.summary.power;
  member.configuration = machine.configuration;
  member.left_out = machine.left_out;
  member.has_nvram = machine.nvram.has_value();
  member.has_tpm = machine.tpm_state.has_value();
  for (const auto& disk : machine.disks) {
    member.disks.push_back({.target = disk.target,
                            .frozen = disk.chain.front(),
                            .overlay = names.beside(disk.chain.front().path),
                            .virtual_size = disk.virtual_size,
                            .stands_on = disk.chain.size() > 1 ? disk.chain[1].path : Path(),
                            .id = identity_of(member.machine, disk, known)});
  }
  if (request.kind == SnapshotKind::kStandard) member.definition = machine.definition;
  if (keeps_memory(request) && member.power != PowerState::kOff) member.memory = memory_of(machine, member);
  return member;
}

// It will be the current one of its collection, and stands on the one that is.
void put_into_tree(Snapshot& snapshot, const std::vector<Snapshot>& known) {
  for (const auto& other : known) {
    if (other.collection == snapshot.collection && other.is_current) snapshot.parent = other.id;
    snapshot.arrival = std::max(snapshot.arrival, other.arrival + 1);
  }
}

// One file under two disks would be frozen for one and written through the other.
Result<void> check_no_shared_files(const Snapshot& snapshot) {
  std::map<Path, std::string> users;
  for (const auto& member : snapshot.members) {
    for (const auto& disk : member.disks) {
      const std::string user = fmt::format("disk {} of \"{}\"", disk.target, member.name);
      const auto [found, is_new] = users.emplace(disk.frozen.path, user);
      if (!is_new) {
        return fail(ErrorCode::kInvalidState, "\"{}\" is {} and {} at the same time: give each its own file.",
                    disk.frozen.path.string(), found->second, user);
      }
    }
  }
  return {};
}

// One of the folders on a file system, and what all overlays on it need.
struct Need {
  Path folder;
  std::uint64_t bytes = 0;
};

// A folder that is missing is looked for by whoever needs it.
Result<dev_t> file_system_of(const Path& folder) {
  Path existing = folder;
  struct stat info {};
  while (::stat(existing.c_str(), &info) != 0) {
    if (errno != ENOENT || !existing.has_relative_path()) {
      return Failure{system_error(errno, fmt::format("\"{}\" cannot be looked at.", folder.string()))};
    }
    existing = existing.parent_path();
  }
  return info.st_dev;
}

Result<std::map<dev_t, Need>> needed_space(const Snapshot& snapshot) {
  std::map<dev_t, Need> needed;
  for (const auto& member : snapshot.members) {
    for (const auto& disk : member.disks) {
      const Path folder = disk.overlay.parent_path();
      COHORT_ASSIGN(const dev_t file_system, file_system_of(folder));
      needed.try_emplace(file_system, Need{folder, 0}).first->second.bytes += kSpacePerOverlay;
    }
    if (!member.memory) continue;
    const Path folder = member.memory->file.parent_path();
    COHORT_ASSIGN(const dev_t file_system, file_system_of(folder));
    needed.try_emplace(file_system, Need{folder, 0}).first->second.bytes += member.memory->bytes;
  }
  return needed;
}

Result<void> check_space(const Snapshot& snapshot) {
  COHORT_ASSIGN(const auto needed, needed_space(snapshot));
  for (const auto& [device, need] : needed) {
    const auto& [folder, bytes] = need;
    COHORT_ASSIGN(const auto there, free_bytes(folder));
    if (there < bytes) {
      return fail(ErrorCode::kNoSpace,
                  "\"{}\" has {} MiB free; the overlays{} need {} MiB to begin with, and grow with what the machines "
                  "write.",
                  folder.string(), there >> 20U, memory_bytes(snapshot) > 0 ? " and the machines' memory" : "",
                  bytes >> 20U);
    }
  }
  return {};
}

}  // namespace

Result<Snapshot> plan_snapshot(const TakeSnapshotRequest& request, Hypervisor& hypervisor, StateStore& store,
                               const Clock& clock) {
  COHORT_TRY(check_request(request));
  COHORT_ASSIGN(const auto collection, find_collection(store, request.collection));
  const auto machines = all_machines(collection, lookup_in(store));
  if (machines.empty()) {
    return fail(ErrorCode::kInvalidState,
                "The collection \"{}\" has no machines: add some with `cohort collection add`.", collection.name);
  }
  COHORT_ASSIGN(const auto known, store.snapshots());
  COHORT_ASSIGN(const auto details, inspect_all(collection, machines, request, hypervisor, known));
  Snapshot snapshot;
  snapshot.id = SnapshotId::generate();
  COHORT_ASSIGN(snapshot.name, name_for(request, collection, known, clock));
  snapshot.collection = collection.id;
  snapshot.collection_name = collection.name;
  snapshot.kind = request.kind;
  put_into_tree(snapshot, known);
  snapshot.asked = request.consistency;
  snapshot.kept_for = request.kept_for;
  if (request.consistency != ConsistencyWish::kCrash) snapshot.fence.freeze_deadline = request.freeze_deadline;
  OverlayNames names(snapshot.id);
  for (const auto& machine : details) snapshot.members.push_back(member_of(machine, request, names, known));
  if (request.kind == SnapshotKind::kReferencePoint) make_reference_point(snapshot);
  snapshot.fence.deadline = request.deadline.value_or(
      std::min<Milliseconds>(kUsualDeadline + 2 * estimated_saving(snapshot), kLongestWithMemory));
  COHORT_TRY(check_no_shared_files(snapshot));
  COHORT_TRY(check_space(snapshot));
  return snapshot;
}

}  // namespace cohort::service
