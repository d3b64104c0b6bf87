#include "service/doctor.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "domain/named_value.h"
#include "package/layout.h"
#include "service/lookup.h"
#include "service/merge_back.h"
#include "service/recover.h"
#include "service/snapshot_tree.h"

namespace cohort::service {
namespace {

constexpr std::array<NamedValue<AilmentKind>, 10> kAilmentKinds{{
    {AilmentKind::kUnfinishedJob, "unfinished_job"},
    {AilmentKind::kUnreadableMachine, "unreadable_machine"},
    {AilmentKind::kBrokenSnapshot, "broken_snapshot"},
    {AilmentKind::kBrokenLayers, "broken_layers"},
    {AilmentKind::kMistakenDisk, "mistaken_disk"},
    {AilmentKind::kUnrecordedOverlay, "unrecorded_overlay"},
    {AilmentKind::kStrayOverlay, "stray_overlay"},
    {AilmentKind::kStrayMemory, "stray_memory"},
    {AilmentKind::kPausedMachine, "paused_machine"},
    {AilmentKind::kPartialPackage, "partial_package"},
}};

// What mending one ailment does; the sentence says what was done.
using Mending = std::function<Result<std::string>(JobContext& job)>;

struct Finding {
  Ailment ailment;
  Mending mending;  // empty: by hand
};

// One look at the host. What it finds refers to `hypervisor`, which must outlive it.
class Examination {
 public:
  Examination(Hypervisor& hypervisor, StateStore& store) : hypervisor_(hypervisor), store_(store) {}

  Result<std::vector<Finding>> run(const std::vector<Path>& folders) {
    COHORT_ASSIGN(snapshots_, store_.snapshots());
    COHORT_TRY(look_at_jobs());
    COHORT_TRY(look_at_machines());
    look_at_snapshots();
    look_at_overlays();
    COHORT_TRY(look_at_members());
    for (const Path& folder : folders) COHORT_TRY(look_for_partial_packages(folder));
    return std::move(findings_);
  }

 private:
  void add(AilmentKind kind, const std::string& what, std::string message, std::string remedy, Mending mending = {}) {
    const bool is_mendable = static_cast<bool>(mending);
    findings_.push_back(
        {{fmt::format("{}:{}", to_string(kind), what), kind, std::move(message), std::move(remedy), is_mendable},
         std::move(mending)});
  }

  Result<void> look_at_jobs() {
    COHORT_ASSIGN(const auto open, open_jobs(store_));
    for (const Job& job : open) {
      if (!is_ended(job.state) && !job.is_interrupted()) continue;
      add(AilmentKind::kUnfinishedJob, job.id.short_str(),
          fmt::format("The {} of \"{}\" (job {}) was not finished, and what it had begun is not taken back.",
                      to_string(job.type), job.subject, job.id.short_str()),
          "The next command that changes something takes it back by itself.");
    }
    return {};
  }

  Result<void> look_at_machines() {
    COHORT_ASSIGN(const auto machines, hypervisor_.machines());
    for (const MachineSummary& machine : machines) {
      auto details = hypervisor_.inspect(machine.id);
      if (details) {
        machines_[machine.id] = *std::move(details);
      } else if (details.error().code != ErrorCode::kNotFound) {
        is_everything_seen_ = false;
        add(AilmentKind::kUnreadableMachine, machine.name,
            fmt::format("The machine \"{}\" cannot be looked at: {}", machine.name, details.error().describe()),
            "Mend what the sentence names; until then stray overlays are not looked for.");
      }
    }
    return {};
  }

  // --- snapshots and their overlays ---

  [[nodiscard]] static const MachineDisk* disk_of(const MachineDetails& machine, const std::string& target) {
    const auto found = std::ranges::find(machine.disks, target, &MachineDisk::target);
    return found == machine.disks.end() ? nullptr : &*found;
  }

  [[nodiscard]] static bool stands_on(const MachineDisk& disk, const Path& file) {
    return std::ranges::find(disk.chain, file, &Layer::path) != disk.chain.end();
  }

  void look_at_snapshots() {
    for (const Snapshot& snapshot : snapshots_) {
      if (snapshot.state == SnapshotState::kCreating) continue;
      if (snapshot.state == SnapshotState::kShared) {
        look_at_layers(snapshot);
        continue;
      }
      for (const MemberSnapshot& member : snapshot.members) look_at_member(snapshot, member);
    }
  }

  // What a deleted snapshot has left to several branches: it has no name that its user could delete it by.
  void look_at_layers(const Snapshot& layers) {
    std::string fault;
    for (const MemberSnapshot& member : layers.members) {
      if (fault.empty()) fault = fault_of_layers(member);
    }
    if (fault.empty()) return;
    const auto branches = branches_on_files_of(layers, snapshots_);
    const std::string what = public_id(layers).substr(0, 8);
    std::string message =
        fmt::format("The files of the {} \"{}\" cannot be merged: {}", noun_of(layers.kind), layers.name, fault);
    if (!branches.empty()) {
      add(AilmentKind::kBrokenLayers, what, std::move(message),
          fmt::format("Bring that back, or delete the snapshots that stand on them first: \"{}\".",
                      fmt::join(branches, "\", \"")));
      return;
    }
    add(AilmentKind::kBrokenLayers, what, std::move(message), "Forgets them, and leaves the files as they are.",
        [this, layers](JobContext&) -> Result<std::string> {
          COHORT_TRY(forget_snapshot(layers, hypervisor_, store_));
          return fmt::format("The files of \"{}\" were forgotten, and stay as they are.", layers.name);
        });
  }

  // A sentence; empty if there is none.
  [[nodiscard]] std::string fault_of_layers(const MemberSnapshot& member) const {
    const auto machine = machines_.find(member.machine);
    if (machine == machines_.end()) {
      if (hypervisor_.machine(member.machine)) return {};  // it is unreadable, and named as such
      return fmt::format("The machine \"{}\" no longer exists.", member.name);
    }
    for (const DiskSnapshot& disk : member.disks) {
      const bool is_sound =
          disk.overlay.empty() || stands_as_left(machine->second, disk) || is_mistaken(machine->second, disk);
      if (is_sound) continue;
      return disk_of(machine->second, disk.target) == nullptr
                 ? fmt::format("The machine \"{}\" has the disk {} no more.", member.name, disk.target)
                 : fmt::format("Somebody has changed the disk {} of \"{}\".", disk.target, member.name);
    }
    return {};
  }

  void look_at_member(const Snapshot& snapshot, const MemberSnapshot& member) {
    const auto what = fmt::format("{}/{}", public_id(snapshot).substr(0, 8), member.name);
    const auto machine = machines_.find(member.machine);
    if (machine == machines_.end()) {
      if (hypervisor_.machine(member.machine)) return;  // it is unreadable, and named as such
      add(AilmentKind::kBrokenSnapshot, what,
          fmt::format("The machine \"{}\" of the {} \"{}\" no longer exists.", member.name, noun_of(snapshot.kind),
                      snapshot.name),
          delete_command(snapshot) + " --forget-missing");
      return;
    }
    for (const DiskSnapshot& disk : member.disks) {
      const bool is_ready = snapshot.state == SnapshotState::kReady;
      if (disk.overlay.empty()) continue;  // the machine does not go on from here
      if (is_ready ? stands_as_left(machine->second, disk) : can_be_merged(member, disk)) continue;
      if (is_mistaken(machine->second, disk)) continue;
      add(AilmentKind::kBrokenSnapshot, what + "/" + disk.target,
          fmt::format("The disk {} of \"{}\" no longer stands on \"{}\" and \"{}\", as the {} \"{}\" left it: "
                      "somebody has changed it.",
                      disk.target, member.name, disk.overlay.string(), disk.frozen.path.string(),
                      noun_of(snapshot.kind), snapshot.name),
          fmt::format("{}Bring the disk back to these files to delete the {}, or forget it and leave them as they "
                      "are: {} --forget-only.",
                      is_ready ? "It may still be exported if the frozen file is unchanged. " : "",
                      noun_of(snapshot.kind), delete_command(snapshot)));
    }
  }

  // What is said of a mistaken disk stands in the way of more than its snapshot.
  [[nodiscard]] static bool is_mistaken(const MachineDetails& machine, const DiskSnapshot& disk) {
    const MachineDisk* found = disk_of(machine, disk.target);
    return found != nullptr && found->mistaken_for;
  }

  [[nodiscard]] static bool stands_as_left(const MachineDetails& machine, const DiskSnapshot& disk) {
    const MachineDisk* found = disk_of(machine, disk.target);
    return found != nullptr && stands_on(*found, disk.overlay) && stands_on(*found, disk.frozen.path);
  }

  // Of a snapshot that is being deleted: its disk may be merged already.
  [[nodiscard]] bool can_be_merged(const MemberSnapshot& member, const DiskSnapshot& disk) const {
    const auto mergeable = hypervisor_.check_mergeable(member.machine, disk);
    return mergeable || mergeable.error().code != ErrorCode::kInvalidState;
  }

  void look_at_overlays() {
    std::set<Path> used;
    for (const auto& [id, machine] : machines_) {
      for (const MachineDisk& disk : machine.disks) {
        for (const Layer& layer : disk.chain) used.insert(layer.path);
        look_at_chain(machine.summary, disk);
        if (disk.mistaken_for) look_at_mistake(machine.summary, disk);
      }
    }
    if (is_everything_seen_) look_for_stray_overlays(used);
  }

  void look_at_chain(const MachineSummary& machine, const MachineDisk& disk) {
    for (std::size_t i = 0; i + 1 < disk.chain.size(); ++i) {
      const Path& overlay = disk.chain[i].path;
      if (!is_overlay_name(overlay) || is_recorded(snapshots_, overlay)) continue;
      const DiskSnapshot merged{disk.target, disk.chain[i + 1], overlay, disk.virtual_size};
      add(AilmentKind::kUnrecordedOverlay, overlay.string(),
          fmt::format("The disk {} of \"{}\" stands on \"{}\", which no snapshot of this state knows.", disk.target,
                      machine.name, overlay.string()),
          fmt::format("Merges it into \"{}\". Not if the snapshot is in another state folder.",
                      merged.frozen.path.string()),
          [this, machine, merged](JobContext& job) { return merge(machine, merged, job); });
    }
  }

  // An overlay that no snapshot knows is named as that: merging it ends the mistake, too.
  void look_at_mistake(const MachineSummary& machine, const MachineDisk& disk) {
    const Path& active = disk.chain.front().path;
    const Snapshot* snapshot = snapshot_with(active);
    if (snapshot == nullptr && is_overlay_name(active) && !is_recorded(snapshots_, active)) return;
    std::string remedy = "Writes the latter file into the machine's definition; then shut it down and start it.";
    if (snapshot != nullptr) {
      remedy += fmt::format(" Or delete the {} \"{}\", which ends it while the machine runs: {}",
                            noun_of(snapshot->kind), snapshot->name, delete_command(*snapshot));
    }
    add(AilmentKind::kMistakenDisk, fmt::format("{}/{}", machine.name, disk.target),
        fmt::format(
            "libvirt takes \"{}\" for the disk {} of \"{}\", but the machine's QEMU writes to \"{}\": started from "
            "the former, the machine would lose what it wrote since.",
            disk.mistaken_for->string(), disk.target, machine.name, active.string()),
        std::move(remedy), [this, machine, target = disk.target](JobContext&) { return define(machine, target); });
  }

  // Whose overlay this is; nullptr if it is nobody's.
  [[nodiscard]] const Snapshot* snapshot_with(const Path& overlay) const {
    const auto has_it = [&](const MemberSnapshot& member) {
      return std::ranges::find(member.disks, overlay, &DiskSnapshot::overlay) != member.disks.end();
    };
    const auto found = std::ranges::find_if(
        snapshots_, [&](const Snapshot& snapshot) { return std::ranges::any_of(snapshot.members, has_it); });
    return found == snapshots_.end() ? nullptr : &*found;
  }

  Result<std::string> define(const MachineSummary& machine, const std::string& target) const {
    COHORT_TRY(hypervisor_.define_as_it_runs(machine.id, target));
    return fmt::format(
        "The definition of \"{}\" names the file that its disk {} is on: shut the machine down and start it.",
        machine.name, target);
  }

  void look_for_stray_overlays(const std::set<Path>& used) {
    std::set<Path> folders;
    for (const Path& file : used) folders.insert(file.parent_path());
    for (const Path& folder : folders) {
      std::error_code ignored;  // a folder that cannot be listed shows nothing
      for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        const Path& file = entry.path();
        if (is_memory_name(file) && !is_memory_of_a_snapshot(file)) add_stray_memory(file);
        if (!is_overlay_name(file) || used.contains(file) || is_recorded(snapshots_, file)) continue;
        add_stray_overlay(file);
      }
    }
  }

  void add_stray_overlay(const Path& file) {
    add(AilmentKind::kStrayOverlay, file.string(),
        fmt::format("No machine and no snapshot uses the overlay \"{}\".", file.string()),
        "Removes the file, and what a machine wrote to it. Not if the snapshot is in another state folder.",
        [this, file](JobContext&) -> Result<std::string> {
          COHORT_TRY(hypervisor_.remove_stray_overlay(file));
          return fmt::format("The file \"{}\" was removed.", file.string());
        });
  }

  // It has the name of an overlay, with another extension.
  [[nodiscard]] static bool is_memory_name(const Path& file) {
    return file.extension() == ".mem" && is_overlay_name(Path(file).replace_extension(".qcow2"));
  }

  // One that is shared, or whose deletion has begun, may have it still: that is finished by others.
  [[nodiscard]] bool is_memory_of_a_snapshot(const Path& file) const {
    const auto has_it = [&](const MemberSnapshot& member) { return member.memory && member.memory->file == file; };
    return std::ranges::any_of(snapshots_,
                               [&](const Snapshot& snapshot) { return std::ranges::any_of(snapshot.members, has_it); });
  }

  void add_stray_memory(const Path& file) {
    add(AilmentKind::kStrayMemory, file.string(), fmt::format("No snapshot has the memory in \"{}\".", file.string()),
        "Removes the file. Not if the snapshot is in another state folder.",
        [this, file](JobContext&) -> Result<std::string> {
          COHORT_TRY(hypervisor_.remove_memory(file));
          return fmt::format("The file \"{}\" was removed.", file.string());
        });
  }

  Result<std::string> merge(const MachineSummary& machine, const DiskSnapshot& disk, JobContext& job) const {
    const MergeWatch watch{[&job](std::uint64_t done, std::uint64_t total) {
                             job.set_total(total);
                             job.set_done(done);
                           },
                           {}};
    COHORT_TRY(hypervisor_.merge_overlay(machine.id, disk, job.stop(), watch));
    return fmt::format("The overlay \"{}\" of \"{}\" was merged into \"{}\".", disk.overlay.string(), machine.name,
                       disk.frozen.path.string());
  }

  // --- members ---

  Result<void> look_at_members() {
    COHORT_ASSIGN(const auto collections, store_.collections());
    std::set<MachineId> members;
    for (const Collection& collection : collections) {
      for (const MachineMember& member : collection.machines) members.insert(member.id);
    }
    for (const auto& [id, machine] : machines_) {
      if (machine.summary.power == PowerState::kPaused && members.contains(id)) add_paused(machine.summary);
    }
    return {};
  }

  void add_paused(const MachineSummary& machine) {
    add(AilmentKind::kPausedMachine, machine.name, fmt::format("The machine \"{}\" stands still.", machine.name),
        "Lets it run. Not if somebody wants it to stand still.", [this, machine](JobContext&) -> Result<std::string> {
          COHORT_TRY(hypervisor_.resume(machine.id));
          return fmt::format("The machine \"{}\" runs.", machine.name);
        });
  }

  // --- packages ---

  Result<void> look_for_partial_packages(const Path& folder) {
    std::error_code code;
    for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
      const Path& path = entry.path();
      if (entry.is_symlink(code) || !entry.is_directory(code) || path.extension() != package::kPartialSuffix) continue;
      add_partial_package(path);
    }
    if (code) return Failure{system_error(code.value(), fmt::format("\"{}\" cannot be listed.", folder.string()))};
    return {};
  }

  void add_partial_package(const Path& folder) {
    add(AilmentKind::kPartialPackage, folder.string(),
        fmt::format("The package in \"{}\" was never finished.", folder.string()),
        "Removes the folder. Not while another process exports to it.", [folder](JobContext&) -> Result<std::string> {
          COHORT_TRY(remove_tree(folder));
          return fmt::format("The folder \"{}\" was removed.", folder.string());
        });
  }

  Hypervisor& hypervisor_;
  StateStore& store_;
  std::vector<Snapshot> snapshots_;
  std::map<MachineId, MachineDetails> machines_;  // that could be looked at
  bool is_everything_seen_ = true;
  std::vector<Finding> findings_;
};

DoctorReport report_of(const std::vector<Finding>& findings) {
  DoctorReport report;
  for (const Finding& finding : findings) report.ailments.push_back(finding.ailment);
  return report;
}

Result<const Finding*> find_mendable(const std::vector<Finding>& findings, const std::string& id) {
  const auto found = std::ranges::find_if(findings, [&](const Finding& each) { return each.ailment.id == id; });
  if (found == findings.end()) {
    return fail(ErrorCode::kNotFound, "Nothing is amiss that is called \"{}\": see cohort host doctor.", id);
  }
  if (!found->mending) {
    return fail(ErrorCode::kUnsupported, "{} This is not mended here: {}", found->ailment.message,
                found->ailment.remedy);
  }
  return &*found;
}

}  // namespace

std::string_view to_string(AilmentKind kind) { return name_of(kAilmentKinds, kind); }

Doctor::Doctor(Hypervisor& hypervisor, StateStore& store) : hypervisor_(hypervisor), store_(store) {}

Result<DoctorReport> Doctor::examine(const DoctorRequest& request) {
  COHORT_ASSIGN(const auto findings, Examination(hypervisor_, store_).run(request.folders));
  return report_of(findings);
}

Result<DoctorReport> Doctor::mend(const DoctorRequest& request, JobContext& job) {
  Examination before(hypervisor_, store_);
  COHORT_ASSIGN(const auto findings, before.run(request.folders));
  std::vector<const Finding*> chosen;
  for (const std::string& id : request.mend) {
    COHORT_ASSIGN(const Finding* finding, find_mendable(findings, id));
    chosen.push_back(finding);
  }
  std::vector<std::string> mended;
  for (const Finding* finding : chosen) {
    COHORT_TRY(job.check_cancelled());
    job.set_phase("mending " + finding->ailment.id);
    COHORT_ASSIGN(auto done, finding->mending(job));
    mended.push_back(std::move(done));
  }
  COHORT_ASSIGN(const auto left, Examination(hypervisor_, store_).run(request.folders));
  DoctorReport report = report_of(left);
  report.mended = std::move(mended);
  return report;
}

}  // namespace cohort::service
