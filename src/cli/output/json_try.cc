// Packages that are tried.
#include "cli/output/json.h"

namespace cohort::cli {

namespace {

Json end_to_json(const std::optional<service::MachineEnd>& end) {
  if (!end) return {};
  switch (*end) {
    case service::MachineEnd::kShutDown:
      return "shut-down";
    case service::MachineEnd::kCrashed:
      return "crashed";
    case service::MachineEnd::kStopped:
      break;
  }
  return "stopped";
}

Json tried_to_json(const std::vector<service::TriedMachine>& machines) {
  Json list = Json::array();
  for (const auto& machine : machines) {
    list.push_back(Json{{"original_name", machine.original_name},
                        {"name", machine.name},
                        {"id", machine.id.is_nil() ? Json() : Json(machine.id.str())},
                        {"disks", disk_files_to_json(machine.disks)},
                        {"left_out", left_out_to_json(machine.left_out)},
                        {"console", machine.console ? Json(machine.console->string()) : Json()},
                        {"agent_after_ms", machine.agent_after ? Json(machine.agent_after->count()) : Json()},
                        {"end", end_to_json(machine.end)},
                        {"power", machine.id.is_nil() ? Json() : Json(to_string(machine.power))}});
  }
  return list;
}

}  // namespace

Json to_json(const service::TryPlan& plan) {
  return Json{{"scratch", plan.scratch.string()},
              {"free_bytes", plan.free_bytes},
              {"network", to_string(plan.network)},
              {"machines", tried_to_json(plan.machines)}};
}

Json to_json(const service::TryReport& report) {
  return Json{{"network", to_string(report.network)},
              {"ran_ms", report.ran.count()},
              {"machines", tried_to_json(report.machines)}};
}

}  // namespace cohort::cli
