// Packages as they lie in folders, and merged.
#include <fmt/format.h>

#include <algorithm>

#include "cli/output/printable.h"
#include "cli/output/quantity.h"
#include "cli/output/report.h"
#include "cli/output/table.h"

namespace cohort::cli {

namespace {

std::string stands_on(const package::Manifest& manifest) { return manifest.parent ? manifest.parent->path : "-"; }

std::string problems_of(const std::vector<service::StoredPackage>& packages) {
  std::string text;
  for (const auto& stored : packages) {
    if (stored.problem.empty()) continue;
    text += fmt::format("{}: {}\n", printable(stored.package.filename().string()), printable(stored.problem));
  }
  return text.empty() ? text : "\n" + text;
}

std::string chain_of(const std::vector<package::LowerPackage>& parents) {
  if (parents.empty()) return {};
  Table table({{"STANDS ON"}, {"SNAPSHOT"}, {"INSTANT"}});
  for (const auto& parent : parents) {
    table.add({parent.package.string(), parent.snapshot_name, format_time(parent.instant)});
  }
  return "\n" + table.str();
}

std::string reason_of(const service::PrunedPackage& each) {
  std::vector<std::string> reasons;
  for (const auto rule : each.rules) reasons.emplace_back(to_string(rule));
  if (!each.why.empty()) reasons.push_back(each.why);
  return reasons.empty() ? "-" : joined(reasons);
}

std::string fates_table(const service::PrunePlan& plan) {
  Table table({{"PACKAGE"}, {"COLLECTION"}, {"INSTANT"}, {"ON DISK", Align::kRight}, {"FATE"}, {"WHY"}});
  for (const auto& each : plan.packages) {
    const auto& manifest = each.stored.manifest;
    table.add({each.stored.package.filename().string(), manifest ? manifest->collection_name : "?",
               manifest ? format_time(manifest->instant) : "?", format_bytes(each.stored.size.disk_bytes),
               std::string(to_string(each.fate)), reason_of(each)});
  }
  return table.str();
}

}  // namespace

std::string report_prune(const service::PrunePlan& pruned) {
  const auto number_of = [&](service::PackageFate fate) {
    return static_cast<std::uint64_t>(std::ranges::count(pruned.packages, fate, &service::PrunedPackage::fate));
  };
  return fmt::format("Removed {} from {}, and merged {}.\n\n",
                     count_of(number_of(service::PackageFate::kRemoved), "package", "packages"),
                     printable(pruned.folder.string()), number_of(service::PackageFate::kMerged)) +
         fates_table(pruned);
}

std::string report_prune_plan(const service::PrunePlan& plan) {
  if (plan.packages.empty()) return "There are no packages.\n";
  return fates_table(plan) + "\nNothing was changed.\n";
}

std::string report_packages(const std::vector<service::StoredPackage>& packages) {
  if (packages.empty()) return "There are no packages.\n";
  Table table({{"PACKAGE"},
               {"COLLECTION"},
               {"SNAPSHOT"},
               {"INSTANT"},
               {"MACHINES", Align::kRight},
               {"ON DISK", Align::kRight},
               {"STANDS ON"}});
  for (const auto& stored : packages) {
    const std::string name = stored.package.filename().string();
    if (!stored.manifest) {
      table.add({name, "?", "?", "?", "?", "?", "?"});
      continue;
    }
    const package::Manifest& manifest = *stored.manifest;
    table.add({name, manifest.collection_name, manifest.snapshot_name, format_time(manifest.instant),
               std::to_string(manifest.machines.size()), format_bytes(stored.size.disk_bytes), stands_on(manifest)});
  }
  return table.str() + problems_of(packages);
}

std::string report_package(const service::StoredPackage& stored) {
  const std::string problem = stored.problem.empty() ? stored.problem : printable(stored.problem) + "\n\n";
  return fmt::format("{}: {}, {} ({} on the disk), not verified now.\n\n", printable(stored.package.string()),
                     count_of(stored.size.files, "file", "files"), format_bytes(stored.size.bytes),
                     format_bytes(stored.size.disk_bytes)) +
         problem + manifest_sheet(*stored.manifest) + chain_of(stored.parents) + manifest_disks(*stored.manifest);
}

std::string report_merge(const service::MergeReport& report) {
  return fmt::format("Merged {} with the {} that it stands on into {}: {}, {} ({} on the disk).\n\n",
                     printable(report.plan.source.string()),
                     count_of(report.plan.parents.size(), "package", "packages"),
                     printable(report.plan.package.string()), count_of(report.files, "file", "files"),
                     format_bytes(report.bytes), format_bytes(report.disk_bytes)) +
         manifest_sheet(report.manifest);
}

std::string report_merge_plan(const service::MergePlan& plan) {
  Table table({{"MACHINE"}, {"DISK"}, {"SIZE", Align::kRight}, {"AT MOST", Align::kRight}, {"WAS"}, {"FILE"}});
  for (const auto& disk : plan.disks) {
    table.add({disk.machine, disk.target, format_bytes(disk.virtual_size), format_bytes(disk.estimated_bytes),
               disk.is_difference ? "difference" : "whole", disk.file});
  }
  return fmt::format("The package would be {}.\n", printable(plan.package.string())) + chain_of(plan.parents) + "\n" +
         table.str() + needed_and_free(plan.estimated_bytes, plan.free_bytes);
}

}  // namespace cohort::cli
