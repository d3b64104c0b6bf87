// Packages: exported, verified, imported.
#include "cli/output/json.h"

namespace cohort::cli {

namespace {

Json problems_to_json(const std::vector<package::Problem>& problems) {
  Json list = Json::array();
  for (const auto& problem : problems) {
    list.push_back(
        Json{{"file", problem.file}, {"kind", package::to_string(problem.kind)}, {"message", problem.message}});
  }
  return list;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

// "difference" or "whole", and why the latter if it was to be the former.
void add_kind(Json& disk, bool is_difference, const std::string& whole_because) {
  disk["kind"] = is_difference ? "difference" : "whole";
  disk["whole_because"] = text_or_null(whole_because);
}

Json parent_to_json(const std::optional<package::ParentPackage>& parent) {
  if (!parent) return {};
  return Json{{"path", parent->path},
              {"manifest_sha256", parent->manifest_sha256},
              {"snapshot", {{"id", parent->snapshot.str()}, {"name", parent->snapshot_name}}},
              {"instant", format_utc(parent->instant)}};
}

Json parent_disk_to_json(const std::optional<package::ParentDisk>& parent) {
  if (!parent) return {};
  return Json{{"file", parent->file}, {"format", parent->format}, {"content_hash", parent->content_hash}};
}

Json disk_to_json(const package::DiskEntry& disk) {
  Json json{{"target", disk.target},
            {"format", disk.format},
            {"virtual_size_bytes", disk.virtual_size},
            {"file", disk.file.file},
            {"size_bytes", disk.file.size},
            {"sha256", text_or_null(disk.file.sha256)},
            {"content_hash", text_or_null(disk.content_hash)},
            {"parent", parent_disk_to_json(disk.parent)}};
  add_kind(json, disk.parent.has_value(), disk.whole_because);
  return json;
}

Json machine_to_json(const package::MachineEntry& machine) {
  Json disks = Json::array();
  for (const auto& disk : machine.disks) {
    disks.push_back(disk_to_json(disk));
  }
  return Json{{"id", machine.id.str()},
              {"name", machine.name},
              {"power", to_string(machine.power)},
              {"consistency", machine.consistency},
              {"consistency_reason", machine.consistency_reason},
              {"freeze_us", microseconds_or_null(machine.frozen)},
              {"pause", pause_to_json(machine.pause)},
              {"disks", std::move(disks)},
              {"left_out", left_out_to_json(machine.left_out)},
              {"nvram", machine.nvram.has_value()},
              {"tpm", !machine.tpm_state.empty()}};
}

Json imported_to_json(const service::ImportedMachine& machine) {
  return Json{{"original_name", machine.original_name},
              {"name", machine.name},
              {"id", machine.id.is_nil() ? Json() : Json(machine.id.str())},
              {"disks", disk_files_to_json(machine.disks)},
              {"left_out", left_out_to_json(machine.left_out)},
              {"bytes", machine.bytes},
              {"started", machine.started}};
}

Json imported_to_json(const std::vector<service::ImportedMachine>& machines) {
  Json list = Json::array();
  for (const auto& machine : machines) {
    list.push_back(imported_to_json(machine));
  }
  return list;
}

}  // namespace

Json manifest_to_json(const package::Manifest& manifest) {
  Json machines = Json::array();
  for (const auto& machine : manifest.machines) {
    machines.push_back(machine_to_json(machine));
  }
  return Json{{"format_version", manifest.format_version},
              {"created_by", manifest.created_by},
              {"created", format_utc(manifest.created)},
              {"collection", {{"id", manifest.collection.str()}, {"name", manifest.collection_name}}},
              {"snapshot", {{"id", manifest.snapshot.str()}, {"name", manifest.snapshot_name}}},
              {"instant", format_utc(manifest.instant)},
              {"fence", to_json(manifest.fence)},
              {"has_storage", manifest.has_storage},
              {"sealed", manifest.sealed ? Json(format_utc(*manifest.sealed)) : Json()},
              {"parent", parent_to_json(manifest.parent)},
              {"machines", std::move(machines)}};
}

Json to_json(const package::LowerPackage& package) {
  return Json{{"package", package.package.string()},
              {"snapshot", {{"id", package.snapshot.str()}, {"name", package.snapshot_name}}},
              {"instant", format_utc(package.instant)}};
}

Json disk_files_to_json(const std::vector<service::ImportedDisk>& files) {
  Json disks = Json::array();
  for (const auto& disk : files) {
    disks.push_back(Json{{"target", disk.target}, {"path", disk.file.path.string()}, {"format", disk.file.format}});
  }
  return disks;
}

Json to_json(const service::ExportPlan& plan) {
  Json disks = Json::array();
  for (const auto& disk : plan.disks) {
    disks.push_back(Json{{"machine", disk.machine},
                         {"target", disk.target},
                         {"file", disk.file},
                         {"virtual_size_bytes", disk.virtual_size},
                         {"estimated_bytes", disk.estimated_bytes},
                         {"shared", disk.is_shared}});
    add_kind(disks.back(), disk.choice.base.has_value(), disk.choice.whole_because);
  }
  return Json{{"package", plan.package.string()},
              {"estimated_bytes", plan.estimated_bytes},
              {"free_bytes", plan.free_bytes},
              {"parent", parent_to_json(plan.parent)},
              {"disks", std::move(disks)}};
}

Json to_json(const service::ExportReport& report) {
  Json left = Json::array();
  for (const auto& path : report.left_behind) {
    left.push_back(path.string());
  }
  Json disks = Json::array();
  for (const auto& disk : report.disks) {
    disks.push_back(Json{{"machine", disk.machine}, {"target", disk.target}, {"bytes", disk.bytes}});
    add_kind(disks.back(), disk.is_difference, disk.whole_because);
  }
  return Json{{"package", report.package.string()},
              {"files", report.files},
              {"bytes", report.bytes},
              {"disk_bytes", report.disk_bytes},
              {"parent", parent_to_json(report.parent)},
              {"merged_from", parent_to_json(report.merged_from)},
              {"full_because", text_or_null(report.full_because)},
              {"sealed", report.is_sealed},
              {"disks", std::move(disks)},
              {"snapshot", to_json(report.snapshot)},
              {"left_behind", std::move(left)},
              {"shared", shared_to_json(report.shared)}};
}

Json to_json(const service::BackupPlan& plan) {
  Json outlived = Json::array();
  for (const auto& snapshot : plan.outlived) {
    outlived.push_back(Json{{"id", snapshot.id.str()}, {"name", snapshot.name}});
  }
  return Json{{"snapshot", plan_to_json(plan.snapshot)},
              {"export", to_json(plan.target)},
              {"full_because", text_or_null(plan.full_because)},
              {"outlived", std::move(outlived)}};
}

Json to_json(const package::VerifyReport& report) {
  return Json{{"package", report.package.string()},
              {"whole", report.is_whole()},
              {"sealed_disks", report.sealed},
              {"files", report.files},
              {"bytes", report.bytes},
              {"parents", list_to_json(report.parents)},
              {"problems", problems_to_json(report.problems)},
              {"notes", problems_to_json(report.notes)},
              {"manifest", manifest_to_json(report.manifest)}};
}

Json to_json(const service::ImportPlan& plan) {
  return Json{{"storage", plan.storage.string()},
              {"estimated_bytes", plan.estimated_bytes},
              {"free_bytes", plan.free_bytes},
              {"machines", imported_to_json(plan.machines)}};
}

Json to_json(const service::ImportReport& report) { return Json{{"machines", imported_to_json(report.machines)}}; }

}  // namespace cohort::cli
