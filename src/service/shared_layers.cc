#include "service/shared_layers.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/data_file.h"
#include "base/kill_point.h"
#include "service/merge_and_forget.h"
#include "service/mergeable.h"
#include "service/snapshot_tree.h"

namespace cohort::service {
namespace {

std::uint64_t bytes_on_disk(const Path& file) {
  struct stat info {};
  return ::stat(file.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_blocks) * 512 : 0;
}

std::uint64_t bytes_on_disk(const Layer& image) {
  const auto data = data_file_of(image.path, image.format);
  return bytes_on_disk(image.path) + (data && !data->empty() ? bytes_on_disk(Path(*data)) : 0);
}

// Its name is free again, and this one is nobody's: people meet it where a merge has failed half way.
void strip(Snapshot& snapshot) {
  const std::string mark = fmt::format(" (deleted, {})", public_id(snapshot).substr(0, 8));
  snapshot.state = SnapshotState::kShared;
  if (!snapshot.name.ends_with(mark)) snapshot.name += mark;
  snapshot.kept_for.clear();
  for (auto& member : snapshot.members) {
    member.configuration.clear();
    member.definition.clear();
    member.has_nvram = member.has_tpm = false;
  }
}

}  // namespace

SharedLayers shared_layers_of(const Snapshot& snapshot, const std::vector<Snapshot>& all) {
  SharedLayers layers{snapshot.name, sharing_files_of(snapshot, all), 0, {}, snapshot.collection};
  for (const auto& member : snapshot.members) {
    for (const auto& disk : member.disks) layers.disk_bytes += bytes_on_disk(disk.frozen);
  }
  return layers;
}

Result<Snapshot> retire(Snapshot snapshot, StateStore& store) {
  if (snapshot.state != SnapshotState::kReady) {
    return fail(ErrorCode::kInvalidState, "The {} \"{}\" is {}: its files cannot be left to branches.",
                noun_of(snapshot.kind), snapshot.name, to_string(snapshot.state));
  }
  strip(snapshot);
  COHORT_TRY(store.update_snapshot(snapshot));
  kill_point("delete.retired");
  return snapshot;
}

Result<void> retire_rest(const Snapshot& snapshot, const std::set<Path>& frozen, StateStore& store) {
  // As the merges of the other disks have left them.
  COHORT_ASSIGN(auto merged, store.snapshot(snapshot.id));
  Snapshot rest = only_with(frozen, std::move(merged));
  strip(rest);
  COHORT_TRY(store.update_snapshot(rest));
  kill_point("delete.retired");
  return {};
}

Result<void> remove_belongings(const Snapshot& retired, Hypervisor& hypervisor, StateStore& store) {
  for (const auto& member : retired.members) {
    if (member.memory) COHORT_TRY(hypervisor.remove_memory(member.memory->file));
  }
  COHORT_TRY(remove_tree(store.snapshot_folder(retired.id)));
  kill_point("delete.belongings_removed");
  return {};
}

Result<FreedLayers> merge_freed_layers(Hypervisor& hypervisor, StateStore& store, JobContext& job,
                                       const std::stop_token& stop) {
  FreedLayers freed;
  std::set<SnapshotId> passed_over;
  for (;;) {
    COHORT_ASSIGN(const auto all, store.snapshots());
    const auto layers = shared_by_none(all, passed_over);
    if (!layers) return freed;
    passed_over.insert(layers->id);
    COHORT_ASSIGN(const auto rest, unmergeable_of(*layers, hypervisor));
    if (!rest.frozen.empty()) {
      freed.left.push_back(shared_layers_of(only_with(rest.frozen, *layers), all));
      freed.left.back().why = rest.why;
    }
    if (without(rest.frozen, *layers).members.empty()) continue;
    COHORT_TRY(merge_and_forget(*layers, Unmergeable::kKept, hypervisor, store, job, stop));
    freed.merged.push_back(layers->name);
  }
}

}  // namespace cohort::service
