// Snapshots: at one instant, planned, deleted.
#include <fmt/format.h>

#include <algorithm>

#include "cli/output/printable.h"
#include "cli/output/quantity.h"
#include "cli/output/report.h"
#include "cli/output/report_tree.h"
#include "cli/output/table.h"

namespace cohort::cli {

namespace {

bool ran(const MemberSnapshot& member) { return member.power == PowerState::kRunning; }

std::string pause_of(const MemberSnapshot& member) {
  if (!ran(member)) {
    return "-";
  }
  return member.pause ? format_duration(member.pause->length()) : "not measured";
}

std::string disks_of(const MemberSnapshot& member) {
  std::vector<std::string> disks;
  for (const auto& disk : member.disks) {
    disks.push_back(fmt::format("{} {}", disk.target, format_bytes(disk.virtual_size)));
  }
  return disks.empty() ? "-" : joined(disks);
}

std::string left_out_of(const MemberSnapshot& member) {
  std::vector<std::string> disks;
  for (const auto& disk : member.left_out) {
    disks.push_back(fmt::format("{} ({})", disk.target, to_string(disk.reason)));
  }
  return disks.empty() ? "-" : joined(disks);
}

std::string freeze_of(const MemberSnapshot& member) {
  return member.consistency.frozen ? format_duration(*member.consistency.frozen) : "-";
}

std::string memory_of(const MemberSnapshot& member) { return member.memory ? format_bytes(member.memory->bytes) : "-"; }

std::string members_table(const std::vector<MemberSnapshot>& members) {
  Table table({{"MACHINE"},
               {"STATE"},
               {"CONSISTENCY"},
               {"FROZEN", Align::kRight},
               {"PAUSE", Align::kRight},
               {"MEMORY", Align::kRight},
               {"DISKS"},
               {"LEFT OUT"}});
  for (const auto& member : members) {
    table.add({member.name, std::string(to_string(member.power)), std::string(to_string(member.consistency.level)),
               freeze_of(member), pause_of(member), memory_of(member), disks_of(member), left_out_of(member)});
  }
  return table.str();
}

std::string plan_table(const std::vector<MemberSnapshot>& members) {
  Table table({{"MACHINE"}, {"STATE"}, {"CONSISTENCY"}, {"MEMORY", Align::kRight}, {"DISKS"}, {"LEFT OUT"}});
  for (const auto& member : members) {
    table.add({member.name, std::string(to_string(member.power)), std::string(to_string(member.consistency.level)),
               memory_of(member), disks_of(member), left_out_of(member)});
  }
  return table.str();
}

// Why members have not reached more; nothing if no more was asked for.
std::string reasons_of(const std::vector<MemberSnapshot>& members) {
  std::string text;
  for (const auto& member : members) {
    const MemberConsistency& consistency = member.consistency;
    if (consistency.reason.empty()) continue;
    text += fmt::format("{} is {} consistent: {}\n", printable(member.name), to_string(consistency.level),
                        printable(consistency.reason));
  }
  return text.empty() ? text : "\n" + text;
}

std::string overlays_table(const std::vector<MemberSnapshot>& members) {
  Table table({{"MACHINE"}, {"DISK"}, {"FROZEN"}, {"OVERLAY"}});
  for (const auto& member : members) {
    for (const auto& disk : member.disks) {
      table.add({member.name, disk.target, disk.frozen.path.string(), disk.overlay.string()});
    }
  }
  return table.str();
}

std::string identifiers_table(const std::vector<MemberSnapshot>& members) {
  const auto or_dash = [](const auto& id) { return id.is_nil() ? std::string("-") : id.str(); };
  Table table({{"MACHINE"}, {"DISK"}, {"DISK ID"}, {"TRACKING ID"}});
  for (const auto& member : members) {
    for (const auto& disk : member.disks) {
      table.add({member.name, disk.target, or_dash(disk.id), or_dash(disk.tracking_id)});
    }
  }
  return table.str();
}

std::string fence_of(const Snapshot& snapshot) {
  return snapshot.fence.raised.count() == 0
             ? "not raised: no machine ran"
             : fmt::format("up for {} (allowed: {} ms)", format_duration(snapshot.fence.raised),
                           snapshot.fence.deadline.count());
}

std::string kind_of(const Snapshot& snapshot) {
  if (snapshot.kind == SnapshotKind::kRecovery) return "recovery: disks only, for backups";
  const auto bytes = memory_bytes(snapshot);
  return bytes == 0 ? "standard, without memory" : fmt::format("standard, with {} of memory", format_bytes(bytes));
}

// Where memory is to be saved, what is known of it before.
std::string saving_of(const Snapshot& snapshot) {
  const auto bytes = memory_bytes(snapshot);
  if (bytes == 0) return {};
  return fmt::format(
      "Up to {} of memory would be saved meanwhile, beside the disks: in about {}, if {} are written in a second (an "
      "assumption; the snapshot will show how long it took).\n",
      format_bytes(bytes), format_duration(estimated_saving(snapshot)), format_bytes(kAssumedSavingRate));
}

std::string memory_table(const std::vector<MemberSnapshot>& members) {
  Table table({{"MACHINE"}, {"MEMORY"}});
  for (const auto& member : members) {
    if (member.memory) table.add({member.name, member.memory->file.string()});
  }
  return table.str();
}

std::string files_of(const Snapshot& snapshot, Detail detail) {
  if (detail != Detail::kFull) return {};
  return "\n" + overlays_table(snapshot.members) +
         (memory_bytes(snapshot) == 0 ? std::string() : "\n" + memory_table(snapshot.members));
}

std::string asked_for(const Snapshot& snapshot) {
  return fmt::format("{} was asked for (freezing allowed: {} ms)", to_string(snapshot.asked),
                     snapshot.fence.freeze_deadline.count());
}

std::string names_of_unmeasured(const Snapshot& snapshot) {
  std::vector<std::string> names;
  for (const auto& member : snapshot.members) {
    if (ran(member) && !member.pause) {
      names.push_back(member.name);
    }
  }
  return joined(names);
}

std::string in_short(const Snapshot& snapshot) {
  if (snapshot.fence.is_proven()) {
    return "proven";
  }
  return std::any_of(snapshot.members.begin(), snapshot.members.end(), ran) ? "not measured" : "none ran";
}

std::string fate_of(const service::PlannedMerge& merge) {
  if (merge.is_missing) {
    return "(the machine is missing: the file stays)";
  }
  if (merge.is_shared) return "(stays: other snapshots stand on the same file)";
  if (merge.overlay.empty()) return "(removed)";
  return merge.stays ? "(not merged: the file stays)" : merge.into.string();
}

std::string reason_of(const service::SharedLayers& layers) {
  if (layers.why.empty()) {
    return fmt::format(
        "The files of \"{}\" stay ({}), since several branches stand on them (\"{}\"). The deletion that leaves one "
        "branch merges them, and gives the room back that is taken twice.\n",
        printable(layers.name), format_bytes(layers.disk_bytes),
        printable(fmt::format("{}", fmt::join(layers.branches, "\", \""))));
  }
  return fmt::format(
      "Files of \"{}\" stay, and the next deletion tries to merge them: {} Or give them up with `cohort host "
      "doctor`.\n",
      printable(layers.name), printable(layers.why));
}

std::string report_merged_layers(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) {
    text += fmt::format("The files that \"{}\" had left were merged, too.\n", printable(name));
  }
  return text;
}

// Nothing if there are none.
std::string list_of(const char* heading, const std::vector<Path>& files) {
  std::string text;
  for (const auto& path : files) {
    text += fmt::format("{}  {}\n", text.empty() ? fmt::format("{}\n", heading) : "", printable(path.string()));
  }
  return text;
}

}  // namespace

std::string one_instant(const Snapshot& snapshot) {
  const auto running = static_cast<std::uint64_t>(std::count_if(snapshot.members.begin(), snapshot.members.end(), ran));
  if (running == 0) {
    return "no machine ran, so nothing could change";
  }
  const auto& fence = snapshot.fence;
  if (fence.is_proven()) {
    return fmt::format("proven: {} for {}",
                       running == 1 ? "the machine that ran stood still"
                                    : fmt::format("all {} machines that ran stood still together", running),
                       format_duration(*fence.overlap_end - *fence.overlap_begin));
  }
  if (fence.overlap_begin && fence.overlap_end) {
    return "NOT proven: by QEMU's events the machines did not stand still together";
  }
  const auto names = names_of_unmeasured(snapshot);
  return names.empty() ? "not measured" : fmt::format("not measured: QEMU's events were not seen from {}", names);
}

std::string report_snapshot(const Snapshot& snapshot, Detail detail) {
  Sheet sheet;
  sheet.add(is_reference_point(snapshot) ? "Reference point" : "Snapshot", snapshot.name);
  sheet.add("Id", public_id(snapshot));
  if (is_reference_point(snapshot)) sheet.add("Snapshot in packages", snapshot.id.str());
  sheet.add("Collection", snapshot.collection_name);
  sheet.add("Kind", kind_of(snapshot));
  sheet.add("State", std::string(to_string(snapshot.state)));
  sheet.add("Instant", format_time(snapshot.instant));
  sheet.add("One instant", one_instant(snapshot));
  sheet.add("Fence", fence_of(snapshot));
  if (snapshot.asked != ConsistencyWish::kCrash) sheet.add("Consistency", asked_for(snapshot));
  if (!snapshot.kept_for.empty()) {
    sheet.add("Kept for", fmt::format("the next backup to {}", snapshot.kept_for.string()));
  }
  std::string text = sheet.str() + "\n" + members_table(snapshot.members) + reasons_of(snapshot.members);
  if (detail != Detail::kFull) return text;
  if (is_reference_point(snapshot)) text += "\n" + identifiers_table(snapshot.members);
  return text + files_of(snapshot, detail);
}

std::string report_reference_points(const std::vector<Snapshot>& points, Detail detail) {
  if (points.empty()) {
    return "There are no reference points. To make one: cohort reference create COLLECTION\n";
  }
  Table table({{"NAME"}, {"ID"}, {"COLLECTION"}, {"STATE"}, {"INSTANT"}, {"MACHINES", Align::kRight}});
  for (const auto& point : points) {
    table.add({point.name, shown_id(point.reference_point, detail), point.collection_name,
               std::string(to_string(point.state)), format_time(point.instant), std::to_string(point.members.size())});
  }
  return table.str();
}

std::string report_snapshots(const std::vector<Snapshot>& snapshots, Detail detail) {
  if (snapshots.empty()) {
    return "There are no snapshots. To take one: cohort snapshot take COLLECTION\n";
  }
  Table table({{"NAME"},
               {"NOW"},
               {"ID"},
               {"COLLECTION"},
               {"KIND"},
               {"STATE"},
               {"INSTANT"},
               {"MACHINES", Align::kRight},
               {"ONE INSTANT"},
               {"KEPT FOR"}});
  for (const auto& line : tree_of(snapshots)) {
    const Snapshot& snapshot = *line.snapshot;
    table.add({std::string(2 * line.depth, ' ') + snapshot.name, snapshot.is_current ? "*" : "",
               shown_id(snapshot.id, detail), snapshot.collection_name, std::string(to_string(snapshot.kind)),
               std::string(to_string(snapshot.state)), format_time(snapshot.instant),
               std::to_string(snapshot.members.size()), in_short(snapshot),
               snapshot.kept_for.empty() ? "-" : snapshot.kept_for.string()});
  }
  return table.str();
}

std::string report_snapshot_plan(const Snapshot& snapshot, Detail detail) {
  const auto running = static_cast<std::uint64_t>(std::count_if(snapshot.members.begin(), snapshot.members.end(), ran));
  return fmt::format("A {} of \"{}\" would take {}; {} would stand still for {} ms at most.\n", noun_of(snapshot.kind),
                     printable(snapshot.collection_name), count_of(snapshot.members.size(), "machine", "machines"),
                     running == 0 ? "none" : count_of(running, "running one", "running ones"),
                     snapshot.fence.deadline.count()) +
         saving_of(snapshot) + "\n" + plan_table(snapshot.members) + reasons_of(snapshot.members) +
         files_of(snapshot, detail) + "\nNothing was changed.\n";
}

std::string report_merges(const service::DeleteSnapshotRequest& request,
                          const std::vector<service::PlannedMerge>& merges) {
  const auto merged =
      static_cast<std::uint64_t>(std::count_if(merges.begin(), merges.end(), [](const service::PlannedMerge& merge) {
        return !merge.stays && !merge.overlay.empty();
      }));
  Table table({{"MACHINE"}, {"DISK"}, {"FILE"}, {"MERGED INTO"}});
  for (const auto& merge : merges) {
    const Path& file = merge.overlay.empty() ? merge.into : merge.overlay;
    table.add({merge.machine, merge.target, file.string(), fate_of(merge)});
  }
  return fmt::format("Deleting the {} \"{}\" would merge {}.\n\n",
                     request.is_reference_point ? "reference point" : "snapshot", printable(request.snapshot),
                     count_of(merged, "overlay", "overlays")) +
         table.str() + "\nNothing was changed.\n";
}

std::string report_deleted(const service::DeletedSnapshot& deleted) {
  if (deleted.forgotten_only) {
    return fmt::format("Forgot the {} \"{}\": nothing was merged, no machine was touched.\n", noun_of(deleted.kind),
                       printable(deleted.name)) +
           list_of("Its overlay files stay, and machines may write to them:", deleted.left_behind);
  }
  return fmt::format("Deleted the {} \"{}\".\n", noun_of(deleted.kind), printable(deleted.name)) +
         report_merged_layers(deleted.merged_layers) + report_shared(deleted.shared) +
         report_left_behind(deleted.left_behind);
}

std::string report_apply_plan(const service::ApplyPlan& plan, bool keeps_current) {
  Table table({{"MACHINE"}, {"IS"}, {"WILL BE"}, {"MEMORY", Align::kRight}});
  for (const auto& member : plan.snapshot.members) {
    const auto now = std::ranges::find(plan.rescue.members, member.machine, &MemberSnapshot::machine);
    table.add({member.name, std::string(to_string(now == plan.rescue.members.end() ? PowerState::kOff : now->power)),
               std::string(to_string(member.memory ? member.power : PowerState::kOff)), memory_of(member)});
  }
  return fmt::format(
             "\"{}\" would go back to the snapshot \"{}\" of {}. What is current {}.\n",
             printable(plan.snapshot.collection_name), printable(plan.snapshot.name),
             format_time(plan.snapshot.instant),
             keeps_current ? fmt::format("would be kept as \"{}\"", printable(plan.rescue.name)) : "would be lost") +
         saving_of(plan.rescue) + "\n" + table.str() + "\nNothing was changed.\n";
}

std::string report_applied(const service::AppliedSnapshot& applied) {
  std::string text = fmt::format("All machines of \"{}\" are as they were at {}, in the snapshot \"{}\".\n",
                                 printable(applied.snapshot.collection_name), format_time(applied.snapshot.instant),
                                 printable(applied.snapshot.name));
  if (applied.kept) text += fmt::format("What was current is the snapshot \"{}\".\n", printable(applied.kept->name));
  return text;
}

std::string report_left_behind(const std::vector<Path>& files) {
  return list_of("Files of machines that no longer exist were left behind:", files);
}

std::string report_shared(const std::vector<service::SharedLayers>& shared) {
  std::string text;
  for (const auto& layers : shared) text += reason_of(layers);
  return text;
}

}  // namespace cohort::cli
