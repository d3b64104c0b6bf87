#include "service/export_snapshot.h"

#include <algorithm>

#include "base/kill_point.h"
#include "package/layout.h"
#include "service/base_package.h"
#include "service/export_target.h"
#include "service/frozen_stamps.h"
#include "service/lookup.h"
#include "service/merge_package.h"
#include "service/new_package.h"
#include "service/package_size.h"

namespace cohort::service {
namespace {

constexpr std::uint64_t kStateFileLimit = 16ULL << 20U;

bool is_since(const ExportRequest& request) { return !request.since.empty() || !request.since_point.empty(); }

Result<void> check_format(const ExportRequest& request) {
  if (request.is_compressed && request.format != "qcow2") {
    return fail(ErrorCode::kInvalidArgument, "Disks of the format \"{}\" cannot be compressed: choose qcow2.",
                request.format);
  }
  if (!request.is_hashed && (request.is_compressed || is_since(request))) {
    return fail(ErrorCode::kInvalidArgument,
                "Disks that are {} are hashed anyway: leave out --no-hash, or export them whole and not compressed.",
                request.is_compressed ? "compressed" : "differences");
  }
  if (request.is_merged && request.is_compressed) {
    return fail(ErrorCode::kInvalidArgument, "A package that is merged with its base is not compressed.");
  }
  if (request.format == "qcow2" || request.format == "raw") return {};
  return fail(ErrorCode::kInvalidArgument, "\"{}\" is no format for exported disks: choose qcow2 or raw.",
              request.format);
}

Result<void> check_ready(const Snapshot& snapshot) {
  if (snapshot.state == SnapshotState::kReady) return {};
  return fail(ErrorCode::kInvalidState, "The {} \"{}\" is {} and cannot be exported.", noun_of(snapshot.kind),
              snapshot.name, to_string(snapshot.state));
}

Result<Snapshot> find_exported(const ExportRequest& request, StateStore& store) {
  COHORT_ASSIGN(auto snapshot, request.is_reference_point ? find_reference_point(store, request.snapshot)
                                                          : find_snapshot(store, request.snapshot));
  COHORT_TRY(check_ready(snapshot));
  return with_disks(std::move(snapshot), request.disks);
}

Result<Path> base_package(const ExportRequest& request, const Path& target, StateStore& store,
                          const std::stop_token& stop) {
  if (!request.since.empty()) return request.since;
  COHORT_ASSIGN(const auto point, find_point(store, request.since_point));
  return find_package_of(point, target, stop);
}

Result<std::optional<DifferenceBase>> open_base(const ExportRequest& request, const Path& target,
                                                const Snapshot& snapshot, StateStore& store,
                                                const std::stop_token& stop) {
  if (!is_since(request)) return std::optional<DifferenceBase>();
  if (request.no_storage) {
    return fail(ErrorCode::kInvalidArgument, "Without storage there is nothing to be a difference.");
  }
  COHORT_ASSIGN(const Path since, base_package(request, target, store, stop));
  return DifferenceBase::open(since, target, snapshot, store).map([](DifferenceBase&& base) {
    return std::optional(std::move(base));
  });
}

std::vector<PlannedDisk> disks_to_plan(const ExportRequest& request, const Snapshot& snapshot) {
  std::vector<PlannedDisk> planned;
  for (std::size_t m = 0; m < snapshot.members.size() && !request.no_storage; ++m) {
    const MemberSnapshot& member = snapshot.members[m];
    for (std::size_t d = 0; d < member.disks.size(); ++d) {
      const DiskSnapshot& disk = member.disks[d];
      planned.push_back({m, d, member.name, disk.target, package::disk_file(member.name, disk.target, request.format),
                         disk.virtual_size});
    }
  }
  return planned;
}

// What the list of block hashes takes: that of the base grows with what has changed at most.
Result<std::uint64_t> estimated_hashes(const PlannedDisk& disk) {
  constexpr std::uint64_t kBlockBytes = 64ULL << 10U;
  constexpr std::uint64_t kLineBytes = 90;
  const std::uint64_t own = disk.estimated_bytes / kBlockBytes * kLineBytes;
  if (!disk.choice.base) return own;
  return size_of_file(disk.choice.base->block_hashes).map([&](std::uint64_t bytes) { return bytes + own; });
}

std::uint64_t disk_bytes_of(const ExportPlan& plan) {
  std::uint64_t bytes = 0;
  for (const auto& disk : plan.disks) bytes += disk.estimated_bytes;
  return bytes;
}

package::Manifest manifest_of(const Snapshot& snapshot, bool has_storage, WallTime now) {
  package::Manifest manifest;
  manifest.created_by = "cohort " COHORT_VERSION;
  manifest.created = now;
  manifest.collection = snapshot.collection;
  manifest.collection_name = snapshot.collection_name;
  manifest.snapshot = snapshot.id;
  manifest.snapshot_name = snapshot.name;
  manifest.instant = snapshot.instant;
  manifest.fence = snapshot.fence;
  manifest.has_storage = has_storage;
  return manifest;
}

package::MachineEntry entry_of(const MemberSnapshot& member) {
  package::MachineEntry entry;
  entry.id = member.machine;
  entry.name = member.name;
  entry.power = member.power;
  entry.consistency = to_string(member.consistency.level);
  entry.consistency_reason = member.consistency.reason;
  entry.frozen = member.consistency.frozen;
  entry.pause = member.pause;
  entry.left_out = member.left_out;
  return entry;
}

// Writes the machines of one snapshot into one package.
class Exporting {
 public:
  Exporting(const ExportRequest& request, const Snapshot& snapshot, const ExportPlan& plan, StateStore& store,
            DiskCopier& copier, const package::Writer& writer, JobContext& job)
      : request_(request),
        snapshot_(snapshot),
        plan_(plan),
        store_(store),
        copier_(copier),
        writer_(writer),
        job_(job) {}

  // All but its disks.
  Result<package::MachineEntry> add(const MemberSnapshot& member) {
    package::MachineEntry entry = entry_of(member);
    COHORT_ASSIGN(entry.configuration, writer_.add(package::configuration_file(member.machine), member.configuration));
    COHORT_TRY(add_state_files(member, entry));
    return entry;
  }

  // All of the snapshot, side by side. `machines`: in the order of its members.
  Result<void> add_disks(std::vector<package::MachineEntry>& machines) {
    COHORT_ASSIGN(const auto requests, requests_for_disks());
    if (requests.empty()) return {};
    job_.set_phase(requests.size() == 1 ? "copying one disk" : fmt::format("copying {} disks", requests.size()));
    COHORT_ASSIGN(const auto all, store_.snapshots());
    COHORT_TRY(check_all_unwritten(all));
    COHORT_ASSIGN(auto copied, copier_.copy(requests, request_.rate_limit, job_.stop(),
                                            [&](std::uint64_t done) { job_.set_done(done); }));
    COHORT_TRY(check_sizes(copied));
    COHORT_TRY(check_all_unwritten(all));
    for (std::size_t i = 0; i < copied.size(); ++i) {
      machines[plan_.disks[i].member].disks.push_back(entry_of_disk(plan_.disks[i], copied[i]));
    }
    kill_point("export.disks_copied");
    return {};
  }

 private:
  [[nodiscard]] package::DiskEntry entry_of_disk(const PlannedDisk& planned, const CopiedDisk& copied) const {
    package::DiskEntry entry;
    entry.target = planned.target;
    entry.format = request_.format;
    entry.virtual_size = copied.virtual_size;
    entry.file = {planned.file, copied.file_size, copied.sha256};
    entry.content_hash = copied.content_hash;
    if (request_.is_hashed) {
      entry.block_hashes = {package::block_hashes_file(planned.machine, planned.target), copied.hashes_size,
                            copied.content_hash};
    }
    entry.parent = planned.choice.parent;
    entry.whole_because = planned.choice.whole_because;
    return entry;
  }

  Result<void> add_state_files(const MemberSnapshot& member, package::MachineEntry& entry) {
    const Path folder = store_.machine_state_folder(snapshot_.id, member.machine);
    if (member.has_nvram) {
      COHORT_ASSIGN(const auto content, read_file(folder / "nvram", kStateFileLimit));
      COHORT_ASSIGN(entry.nvram, writer_.add(package::nvram_file(member.machine), content));
    }
    if (!member.has_tpm) return {};
    std::vector<Path> files;
    std::error_code code;
    for (const auto& found : std::filesystem::recursive_directory_iterator(folder / "tpm", code)) {
      if (found.is_regular_file()) files.push_back(found.path());
    }
    if (code) return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be read.", folder.string()))};
    std::ranges::sort(files);
    for (const auto& file : files) {
      COHORT_ASSIGN(const auto content, read_file(file, kStateFileLimit));
      const std::string name = file.lexically_relative(folder / "tpm").string();
      COHORT_ASSIGN(auto added, writer_.add(package::tpm_file(member.machine, name), content));
      entry.tpm_state.push_back(std::move(added));
    }
    return {};
  }

  // In the order of the plan.
  Result<std::vector<CopyDiskRequest>> requests_for_disks() {
    std::vector<CopyDiskRequest> requests;
    for (const PlannedDisk& planned : plan_.disks) {
      COHORT_ASSIGN(Path target, writer_.place_for(planned.file));
      Path hashes;
      if (request_.is_hashed) {
        COHORT_ASSIGN(hashes, writer_.place_for(package::block_hashes_file(planned.machine, planned.target)));
      }
      requests.push_back({.source = disk_of(planned).frozen,
                          .target = std::move(target),
                          .format = request_.format,
                          .is_compressed = request_.is_compressed,
                          .is_hashed = request_.is_hashed,
                          .name = fmt::format("disk {} of \"{}\"", planned.target, planned.machine),
                          .block_hashes = std::move(hashes),
                          .base = planned.choice.base});
    }
    return requests;
  }

  [[nodiscard]] const DiskSnapshot& disk_of(const PlannedDisk& planned) const {
    return snapshot_.members[planned.member].disks[planned.disk];
  }

  Result<void> check_all_unwritten(const std::vector<Snapshot>& all) {
    for (const PlannedDisk& planned : plan_.disks) {
      COHORT_TRY(check_unwritten(snapshot_, snapshot_.members[planned.member], disk_of(planned), all));
    }
    return {};
  }

  // A raw file that was cut off reads as a smaller disk, and nothing else tells.
  Result<void> check_sizes(const std::vector<CopiedDisk>& copied) {
    for (std::size_t i = 0; i < copied.size(); ++i) {
      const PlannedDisk& planned = plan_.disks[i];
      const DiskSnapshot& disk = disk_of(planned);
      if (copied[i].virtual_size == disk.virtual_size) continue;
      return fail(
          ErrorCode::kCorrupt,
          "Disk {} of \"{}\" had {} bytes at the instant, and its frozen file \"{}\" has {}: somebody has changed "
          "that file.",
          disk.target, planned.machine, disk.virtual_size, disk.frozen.path.string(), copied[i].virtual_size);
    }
    return {};
  }

  const ExportRequest& request_;
  const Snapshot& snapshot_;
  const ExportPlan& plan_;
  StateStore& store_;
  DiskCopier& copier_;
  const package::Writer& writer_;
  JobContext& job_;
};

Result<void> write_package(Exporting& exporting, NewPackage& target, const Snapshot& snapshot,
                           package::Manifest& manifest, JobContext& job) {
  for (const auto& member : snapshot.members) {
    COHORT_TRY(job.check_cancelled());
    COHORT_ASSIGN(auto entry, exporting.add(member));
    manifest.machines.push_back(std::move(entry));
  }
  COHORT_TRY(exporting.add_disks(manifest.machines));
  manifest.format_version = manifest.needed_version();
  job.set_phase("completing the package");
  COHORT_TRY(job.check_cancelled());
  kill_point("export.before_publish");
  return target.publish(manifest);
}

ExportReport report_of(const Path& package, const package::Manifest& manifest, Snapshot snapshot) {
  ExportReport report;
  report.package = package;
  report.parent = manifest.parent;
  report.is_sealed = manifest.is_sealed();
  for (const auto& machine : manifest.machines) {
    for (const auto& disk : machine.disks) {
      report.disks.push_back({machine.name, disk.target, disk.file.size, disk.parent.has_value(), disk.whole_because});
    }
  }
  report.snapshot = std::move(snapshot);
  const PackageSize size = size_of_package(package, manifest);
  report.files = size.files;
  report.bytes = size.bytes;
  report.disk_bytes = size.disk_bytes;
  return report;
}

}  // namespace

ExportSnapshot::ExportSnapshot(StateStore& store, DiskCopier& copier, const Clock& clock)
    : store_(store), copier_(copier), clock_(clock) {}

Result<ExportPlan> ExportSnapshot::plan(const ExportRequest& request) {
  COHORT_ASSIGN(const auto snapshot, find_exported(request, store_));
  return plan(request, snapshot);
}

Result<ExportPlan> ExportSnapshot::plan(const ExportRequest& request, const Snapshot& snapshot,
                                        const std::stop_token& stop) {
  COHORT_TRY(check_format(request));
  ExportPlan plan;
  COHORT_ASSIGN(plan.package, package_folder(request, snapshot));
  COHORT_ASSIGN(const auto base, open_base(request, plan.package, snapshot, store_, stop));
  plan.estimated_bytes = kSpaceBesideDisks;
  if (snapshot.state == SnapshotState::kReady && !request.no_storage) COHORT_TRY(check_unwritten_disks(snapshot));
  for (const PlannedDisk& disk : disks_to_plan(request, snapshot)) {
    COHORT_TRY(plan_disk(request, snapshot.members[disk.member], base, disk, stop, plan));
  }
  const bool has_difference =
      std::ranges::any_of(plan.disks, [](const auto& disk) { return disk.choice.base.has_value(); });
  if (has_difference) plan.parent = base->parent();
  COHORT_ASSIGN(plan.free_bytes, free_bytes(plan.package.parent_path()));
  COHORT_TRY(check_space(plan.package, plan.free_bytes, plan.estimated_bytes));
  return plan;
}

Result<void> ExportSnapshot::check_unwritten_disks(const Snapshot& snapshot) {
  COHORT_ASSIGN(const auto all, store_.snapshots());
  for (const auto& member : snapshot.members) {
    for (const auto& disk : member.disks) COHORT_TRY(check_unwritten(snapshot, member, disk, all));
  }
  return {};
}

Result<void> ExportSnapshot::plan_disk(const ExportRequest& request, const MemberSnapshot& member,
                                       const std::optional<DifferenceBase>& base, PlannedDisk planned,
                                       const std::stop_token& stop, ExportPlan& plan) {
  const DiskSnapshot& disk = member.disks[planned.disk];
  if (base) {
    COHORT_ASSIGN(planned.choice, base->choose(member, disk, request.format, planned.file));
  }
  if (planned.choice.base) {
    auto bytes = copier_.measure_difference(disk.frozen, *planned.choice.base, stop);
    if (!bytes && bytes.error().code != ErrorCode::kUnsupported) return Failure{bytes.error()};
    if (bytes) planned.estimated_bytes = *bytes;
    if (!bytes) planned.choice = {{}, {}, bytes.error().message};
  }
  if (planned.choice.base && request.is_merged) {
    // The difference is there until the whole is.
    COHORT_ASSIGN(const auto whole, copier_.measure(disk.frozen, request.format, stop));
    plan.estimated_bytes += whole;
  }
  if (!planned.choice.base) {
    COHORT_ASSIGN(planned.estimated_bytes, copier_.measure(disk.frozen, request.format, stop));
  }
  planned.is_shared = !request.is_hashed && copier_.can_share(disk.frozen, plan.package.parent_path());
  if (!planned.is_shared) plan.estimated_bytes += planned.estimated_bytes;
  if (request.is_hashed) {
    COHORT_ASSIGN(const auto hashes, estimated_hashes(planned));
    plan.estimated_bytes += hashes;
  }
  plan.disks.push_back(std::move(planned));
  return {};
}

Result<ExportReport> ExportSnapshot::run(const ExportRequest& request, JobContext& job) {
  if (!request.is_merged || !is_since(request)) return write(request, job);
  job.set_phase("planning");
  COHORT_ASSIGN(const auto snapshot, find_exported(request, store_));
  COHORT_ASSIGN(const auto planned, plan(request, snapshot, job.stop()));
  // Where no disk can be a difference, there is nothing to be merged.
  return planned.parent ? write_merged(request, planned, snapshot, job) : write(request, job);
}

Result<ExportReport> ExportSnapshot::write_merged(const ExportRequest& request, const ExportPlan& plan,
                                                  const Snapshot& snapshot, JobContext& job) {
  const Path holder = plan.package.native() + ".difference" + std::string(package::kPartialSuffix);
  COHORT_TRY(check_free(holder));
  ExportRequest difference = request;
  COHORT_ASSIGN(difference.since, base_package(request, plan.package, store_, job.stop()));
  difference.since_point.clear();
  difference.directory = holder / plan.package.filename();
  difference.subdirectory = difference.is_merged = false;
  COHORT_ASSIGN(const auto step, job.will_undo(UndoKind::kRemovePartial, holder.string()));
  COHORT_TRY(make_directories(holder));
  COHORT_ASSIGN(ExportReport report, write(difference, job));
  kill_point("export.difference_made");
  COHORT_ASSIGN(const auto merged, MergePackage(copier_, clock_).run({report.package, plan.package}, job));
  kill_point("export.merged");
  COHORT_TRY(remove_tree(holder));
  COHORT_TRY(job.will_keep(step));
  job.set_result(plan.package.string());
  ExportReport whole = report_of(plan.package, merged.manifest, snapshot);
  whole.merged_from = plan.parent;
  for (std::size_t i = 0; i < whole.disks.size(); ++i) whole.disks[i].whole_because = report.disks[i].whole_because;
  return whole;
}

Result<ExportReport> ExportSnapshot::write(const ExportRequest& request, JobContext& job) {
  job.set_phase("planning");
  COHORT_ASSIGN(auto snapshot, find_exported(request, store_));
  job.works_on(WorksOn::of(snapshot));
  COHORT_ASSIGN(const auto planned, plan(request, snapshot, job.stop()));
  job.set_total(disk_bytes_of(planned));
  NewPackage target(planned.package, planned.estimated_bytes, job);
  COHORT_TRY(target.begin());
  kill_point("export.begun");
  package::Manifest manifest = manifest_of(snapshot, !request.no_storage, clock_.wall());
  manifest.parent = planned.parent;
  Exporting exporting(request, snapshot, planned, store_, copier_, target.writer(), job);
  if (auto written = write_package(exporting, target, snapshot, manifest, job); !written) {
    return target.failed(std::move(written).error());
  }
  kill_point("export.published");
  COHORT_TRY(target.keep());
  job.set_result(planned.package.string());
  return report_of(planned.package, manifest, std::move(snapshot));
}

}  // namespace cohort::service
