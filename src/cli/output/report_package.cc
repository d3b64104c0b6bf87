// Packages: exported, verified, imported.
#include <fmt/format.h>

#include <algorithm>

#include "cli/output/printable.h"
#include "cli/output/quantity.h"
#include "cli/output/report.h"
#include "cli/output/table.h"

namespace cohort::cli {

namespace {

std::string disks_of(const service::ImportedMachine& machine) {
  std::vector<std::string> disks;
  for (const auto& disk : machine.disks) {
    disks.push_back(disk.file.path.string());
  }
  return disks.empty() ? "-" : joined(disks);
}

std::string left_out_of(const std::vector<LeftOutDisk>& left_out) {
  std::vector<std::string> disks;
  for (const auto& disk : left_out) {
    disks.push_back(fmt::format("{} ({})", disk.target, to_string(disk.reason)));
  }
  return disks.empty() ? "-" : joined(disks);
}

std::string missing_disks_notice(const std::vector<service::ImportedMachine>& machines) {
  std::string text;
  for (const auto& machine : machines) text += missing_disks(machine.original_name, machine.name, machine.left_out);
  return text.empty() ? text : "\n" + text;
}

std::string imported_table(const std::vector<service::ImportedMachine>& machines, bool is_plan) {
  Table table({{"MACHINE"},
               {"WAS"},
               {"UUID"},
               {"SIZE", Align::kRight},
               {is_plan ? "WOULD START" : "STARTED"},
               {"DISKS"},
               {"LEFT OUT"}});
  for (const auto& machine : machines) {
    table.add({machine.name, machine.original_name, machine.id.is_nil() ? "(a new one)" : machine.id.str(),
               format_bytes(machine.bytes), machine.started ? "yes" : "no", disks_of(machine),
               left_out_of(machine.left_out)});
  }
  return table.str() + missing_disks_notice(machines);
}

std::string problems_list(const std::string& title, const std::vector<package::Problem>& problems) {
  std::string text = problems.empty() ? std::string{} : "\n" + title + "\n";
  for (const auto& problem : problems) {
    text += fmt::format("  {}: {}: {}\n", printable(problem.file), package::to_string(problem.kind),
                        printable(problem.message));
  }
  return text;
}

std::string one_instant_of(const package::Manifest& manifest) {
  const auto& fence = manifest.fence;
  if (fence.is_proven()) {
    return fmt::format("proven: overlap of {}", format_duration(*fence.overlap_end - *fence.overlap_begin));
  }
  const bool has_run = std::any_of(manifest.machines.begin(), manifest.machines.end(),
                                   [](const auto& machine) { return machine.power == PowerState::kRunning; });
  return has_run ? "not measured" : "no machine ran, so nothing could change";
}

std::string kind_of(bool is_difference) { return is_difference ? "difference" : "whole"; }

std::string whole_notice(const std::string& target, const std::string& machine, const std::string& reason) {
  if (reason.empty()) return {};
  return fmt::format("Disk {} of \"{}\" goes whole: {}\n", printable(target), printable(machine), printable(reason));
}

std::string full_notice(const std::string& reason) {
  return reason.empty() ? std::string() : fmt::format("A full backup: {}\n\n", printable(reason));
}

std::string seal_notice(const service::ExportReport& report) {
  if (report.is_sealed) return {};
  return fmt::format("Its disks have no hash yet: cohort verify --seal gives them one before the package is used.\n\n");
}

// What a package stands on, and which of its disks do not.
std::string difference_notice(const service::ExportReport& report) {
  std::string text;
  if (report.parent) {
    const auto count = std::ranges::count(report.disks, true, &service::ExportedDisk::is_difference);
    text = fmt::format("{} the difference from {} (snapshot \"{}\"): keep that package where it is, seen from here.\n",
                       count == 1 ? std::string("One disk is") : fmt::format("{} disks are", count),
                       printable(report.parent->path), printable(report.parent->snapshot_name));
  }
  if (report.merged_from) {
    text = fmt::format("It is merged of {} (snapshot \"{}\") and what has changed since, and stands on nothing.\n",
                       printable(report.merged_from->path), printable(report.merged_from->snapshot_name));
  }
  for (const auto& disk : report.disks) text += whole_notice(disk.target, disk.machine, disk.whole_because);
  return text.empty() ? text : text + "\n";
}

std::string_view loud_verdict(const package::VerifyReport& report) {
  if (report.failure() == ErrorCode::kInvalidState) return "is NOT sealed";
  return report.failure() == ErrorCode::kIo ? "CANNOT be read as a whole" : "is NOT whole";
}

std::string parents_of(const package::VerifyReport& report) {
  if (!report.manifest.parent) return {};
  if (report.parents.empty()) return ", what it stands on not looked at";
  return fmt::format(", with the {} that it stands on", count_of(report.parents.size(), "package", "packages"));
}

}  // namespace

std::string needed_and_free(std::uint64_t needed, std::uint64_t free) {
  return fmt::format("\nAt most {} would be written; {} are free.\nNothing was changed.\n", format_bytes(needed),
                     format_bytes(free));
}

std::string manifest_sheet(const package::Manifest& manifest) {
  Sheet sheet;
  sheet.add("Collection", manifest.collection_name);
  sheet.add("Snapshot", manifest.snapshot_name);
  sheet.add("Instant", format_time(manifest.instant));
  sheet.add("One instant", one_instant_of(manifest));
  sheet.add("Machines", std::to_string(manifest.machines.size()) + (manifest.has_storage ? "" : ", without storage"));
  for (const auto& machine : manifest.machines) {
    if (!machine.left_out.empty()) sheet.add("Left out of " + machine.name, left_out_of(machine.left_out));
  }
  if (manifest.parent) {
    sheet.add("Difference from", fmt::format("{} (snapshot \"{}\" of {})", manifest.parent->path,
                                             manifest.parent->snapshot_name, format_time(manifest.parent->instant)));
  }
  sheet.add("Made by", manifest.created_by);
  return sheet.str();
}

std::string manifest_disks(const package::Manifest& manifest) {
  Table table({{"MACHINE"}, {"DISK"}, {"FORMAT"}, {"SIZE", Align::kRight}, {"KIND"}, {"FILE"}});
  for (const auto& machine : manifest.machines) {
    for (const auto& disk : machine.disks) {
      table.add({machine.name, disk.target, disk.format, format_bytes(disk.virtual_size),
                 kind_of(disk.parent.has_value()), disk.file.file});
    }
  }
  return "\n" + table.str();
}

std::string missing_disks(const std::string& original_name, const std::string& name,
                          const std::vector<LeftOutDisk>& left_out) {
  std::string text;
  for (const auto& disk : left_out) {
    if (disk.reason == LeftOutReason::kCdrom) continue;
    text += fmt::format("The disk {} of \"{}\" ({}: {}) is not in the package: \"{}\" comes without it.\n",
                        printable(disk.target), printable(original_name), to_string(disk.reason),
                        printable(disk.source), printable(name));
  }
  return text;
}

std::string report_export(const service::ExportReport& report, Detail detail) {
  return fmt::format("Exported \"{}\" to {}: {}, {} ({} on the disk).\n\n", printable(report.snapshot.name),
                     printable(report.package.string()), count_of(report.files, "file", "files"),
                     format_bytes(report.bytes), format_bytes(report.disk_bytes)) +
         full_notice(report.full_because) + seal_notice(report) + difference_notice(report) +
         report_snapshot(report.snapshot, detail) + report_shared(report.shared) +
         report_left_behind(report.left_behind);
}

std::string report_export_plan(const service::ExportPlan& plan) {
  Table table({{"MACHINE"}, {"DISK"}, {"SIZE", Align::kRight}, {"AT MOST", Align::kRight}, {"KIND"}, {"FILE"}});
  std::string reasons;
  for (const auto& disk : plan.disks) {
    table.add({disk.machine, disk.target, format_bytes(disk.virtual_size),
               disk.is_shared ? "shared" : format_bytes(disk.estimated_bytes), kind_of(disk.choice.base.has_value()),
               disk.file});
    reasons += whole_notice(disk.target, disk.machine, disk.choice.whole_because);
  }
  if (!reasons.empty()) reasons.insert(0, "\n");
  return fmt::format("The package would be {}.\n\n", printable(plan.package.string())) + table.str() + reasons +
         needed_and_free(plan.estimated_bytes, plan.free_bytes);
}

std::string report_backup_plan(const service::BackupPlan& plan, Detail detail) {
  std::string deleted;
  for (const auto& snapshot : plan.outlived) {
    deleted +=
        fmt::format("The snapshot \"{}\" would be deleted when the package is complete.\n", printable(snapshot.name));
  }
  return report_snapshot_plan(plan.snapshot, detail) + "\n" + full_notice(plan.full_because) + deleted +
         report_export_plan(plan.target);
}

std::string report_verify(const package::VerifyReport& report, Detail detail) {
  const std::string sealed =
      report.sealed == 0 ? std::string()
                         : fmt::format("{} hashed for the first time.\n", count_of(report.sealed, "disk", "disks"));
  const std::string head =
      report.is_whole()
          ? fmt::format("The package {} is whole{}: {}, {} read and compared.\n", printable(report.package.string()),
                        parents_of(report), count_of(report.files, "file", "files"), format_bytes(report.bytes)) +
                sealed
          : fmt::format("The package {} {}: {}.\n", printable(report.package.string()), loud_verdict(report),
                        count_of(report.problems.size(), "problem", "problems"));
  return head + problems_list("What is wrong:", report.problems) +
         problems_list("What does not belong to it, and does no harm:", report.notes) + "\n" +
         manifest_sheet(report.manifest) + (detail == Detail::kFull ? manifest_disks(report.manifest) : "");
}

std::string report_import(const service::ImportReport& report) {
  return fmt::format("Imported {}.\n\n", count_of(report.machines.size(), "machine", "machines")) +
         imported_table(report.machines, false);
}

std::string report_import_plan(const service::ImportPlan& plan) {
  return fmt::format("{} would be made, their disks in {}.\n\n", count_of(plan.machines.size(), "machine", "machines"),
                     printable(plan.storage.string())) +
         imported_table(plan.machines, true) + needed_and_free(plan.estimated_bytes, plan.free_bytes);
}

}  // namespace cohort::cli
