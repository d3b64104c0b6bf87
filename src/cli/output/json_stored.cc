// Packages as they lie in folders, and merged.
#include "cli/output/json.h"

namespace cohort::cli {

Json to_json(const service::StoredPackage& stored) {
  return Json{{"package", stored.package.string()},
              {"problem", stored.problem.empty() ? Json() : Json(stored.problem)},
              {"files", stored.size.files},
              {"bytes", stored.size.bytes},
              {"disk_bytes", stored.size.disk_bytes},
              {"parents", list_to_json(stored.parents)},
              {"manifest", stored.manifest ? manifest_to_json(*stored.manifest) : Json()}};
}

Json to_json(const service::PrunePlan& plan) {
  Json packages = Json::array();
  for (const auto& each : plan.packages) {
    const auto& manifest = each.stored.manifest;
    Json rules = Json::array();
    for (const auto rule : each.rules) rules.push_back(to_string(rule));
    packages.push_back(
        Json{{"package", each.stored.package.string()},
             {"collection",
              manifest ? Json{{"id", manifest->collection.str()}, {"name", manifest->collection_name}} : Json()},
             {"instant", manifest ? Json(format_utc(manifest->instant)) : Json()},
             {"fate", to_string(each.fate)},
             {"kept_by", std::move(rules)},
             {"why", each.why.empty() ? Json() : Json(each.why)},
             {"disk_bytes", each.stored.size.disk_bytes},
             {"estimated_bytes", each.estimated_bytes}});
  }
  return Json{{"folder", plan.folder.string()}, {"packages", std::move(packages)}};
}

Json to_json(const service::MergePlan& plan) {
  Json disks = Json::array();
  for (const auto& disk : plan.disks) {
    disks.push_back(Json{{"machine", disk.machine},
                         {"target", disk.target},
                         {"file", disk.file},
                         {"virtual_size_bytes", disk.virtual_size},
                         {"estimated_bytes", disk.estimated_bytes},
                         {"was", disk.is_difference ? "difference" : "whole"}});
  }
  return Json{{"source", plan.source.string()},        {"package", plan.package.string()},
              {"parents", list_to_json(plan.parents)}, {"estimated_bytes", plan.estimated_bytes},
              {"free_bytes", plan.free_bytes},         {"disks", std::move(disks)}};
}

Json to_json(const service::MergeReport& report) {
  return Json{{"source", report.plan.source.string()},
              {"package", report.plan.package.string()},
              {"parents", list_to_json(report.plan.parents)},
              {"files", report.files},
              {"bytes", report.bytes},
              {"disk_bytes", report.disk_bytes},
              {"manifest", manifest_to_json(report.manifest)}};
}

}  // namespace cohort::cli
