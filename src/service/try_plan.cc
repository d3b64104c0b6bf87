#include "service/try_plan.h"

#include <algorithm>

#include "service/package_images.h"

namespace cohort::service {
namespace {

Result<void> keep_chosen(const std::vector<std::string>& names, OpenedPackage& package) {
  if (names.empty()) return {};
  for (const auto& name : names) {
    const auto is_it = [&](const PackagedMachine& machine) { return machine.entry.name == name; };
    if (std::ranges::none_of(package.machines, is_it)) {
      return fail(ErrorCode::kNotFound, "The package has no machine \"{}\".", name);
    }
  }
  std::erase_if(package.machines, [&](const PackagedMachine& machine) {
    return std::ranges::find(names, machine.entry.name) == names.end();
  });
  return {};
}

Result<bool> is_free(const std::string& name, const TryPlan& plan, Hypervisor& hypervisor) {
  if (std::ranges::find(plan.machines, name, &TriedMachine::name) != plan.machines.end()) return false;
  const auto found = hypervisor.find_machine(name);
  if (found) return false;
  if (found.error().code == ErrorCode::kNotFound) return true;
  return Failure{found.error()};
}

// "try-web", "try-web-2", "try-web-3", …
Result<std::string> free_name(const std::string& wanted, const TryPlan& plan, Hypervisor& hypervisor) {
  std::string name = wanted;
  for (int number = 2;; ++number) {
    COHORT_TRY(check_machine_name(name));
    COHORT_ASSIGN(const bool is_it, is_free(name, plan, hypervisor));
    if (is_it) return name;
    name = fmt::format("{}-{}", wanted, number);
  }
}

Result<TriedMachine> plan_machine(const TryRequest& request, const OpenedPackage& package,
                                  const package::MachineEntry& entry, const TryPlan& plan, Hypervisor& hypervisor) {
  TriedMachine machine;
  machine.original_name = entry.name;
  COHORT_ASSIGN(machine.name, free_name(request.name_prefix + entry.name, plan, hypervisor));
  machine.left_out = entry.left_out;
  for (const auto& disk : entry.disks) {
    COHORT_TRY(open_layers(package.chain, entry.id, disk));
    machine.disks.push_back({disk.target, {package.folder().path() / disk.file.file, disk.format}});
  }
  return machine;
}

// Before the package is verified, which may take hours.
Result<void> check_agents_can_be_asked(const TryRequest& request, const OpenedPackage& package,
                                       Hypervisor& hypervisor) {
  if (!request.agent_patience) return {};
  for (const auto& machine : package.machines) {
    COHORT_ASSIGN(const auto outline, hypervisor.outline_of(machine.configuration));
    if (outline.has_agent_channel) continue;
    return fail(ErrorCode::kUnsupported,
                "The machine \"{}\" has no channel for a guest agent: try it without --wait-for-agent, or choose "
                "machines that have one with --machine.",
                machine.entry.name);
  }
  return {};
}

Result<void> check_scratch(const TryRequest& request) {
  std::error_code code;
  if (request.scratch.empty() || std::filesystem::is_directory(request.scratch, code)) return {};
  return fail(ErrorCode::kNotFound, "The folder \"{}\" for what the machines write does not exist: make it first.",
              request.scratch.string());
}

}  // namespace

Result<PreparedTry> prepare_try(const TryRequest& request, const Path& scratch, Hypervisor& hypervisor) {
  COHORT_ASSIGN(auto opened, open_package(std::filesystem::absolute(request.directory), request.trusted, hypervisor));
  PreparedTry prepared{std::move(opened), {}};
  COHORT_TRY(keep_chosen(request.machines, prepared.package));
  COHORT_TRY(check_agents_can_be_asked(request, prepared.package, hypervisor));
  COHORT_TRY(check_scratch(request));
  auto& plan = prepared.plan;
  plan.network = request.network;
  plan.scratch = std::filesystem::absolute(request.scratch.empty() ? scratch : request.scratch).lexically_normal();
  COHORT_ASSIGN(plan.free_bytes, free_bytes(plan.scratch));
  for (const auto& packaged : prepared.package.machines) {
    COHORT_ASSIGN(auto machine, plan_machine(request, prepared.package, packaged.entry, plan, hypervisor));
    plan.machines.push_back(std::move(machine));
  }
  return prepared;
}

}  // namespace cohort::service
