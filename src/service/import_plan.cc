#include "service/import_plan.h"

#include <algorithm>
#include <set>

#include "service/machine_parts.h"
#include "service/package_images.h"

namespace cohort::service {
namespace {

Result<void> check_renames(const ImportRequest& request, const package::Manifest& manifest) {
  for (const auto& [from, to] : request.names) {
    const auto is_it = [&](const package::MachineEntry& m) { return m.name == from; };
    if (std::ranges::none_of(manifest.machines, is_it)) {
      return fail(ErrorCode::kNotFound, "The package has no machine \"{}\" that could be named \"{}\".", from, to);
    }
  }
  return {};
}

std::string new_name(const ImportRequest& request, const std::string& name) {
  const auto given = request.names.find(name);
  return given == request.names.end() ? request.name_prefix + name : given->second;
}

Result<void> check_absent(const Result<MachineSummary>& found, const std::string& what) {
  if (found) {
    return fail(ErrorCode::kAlreadyExists,
                "There is a machine {} already: choose other names (--name-prefix, --name), or remove that machine.",
                what);
  }
  return found.error().code == ErrorCode::kNotFound ? Result<void>{} : Result<void>{Failure{found.error()}};
}

Result<void> check_identity(const ImportRequest& request, const package::MachineEntry& entry,
                            const ImportedMachine& machine, Hypervisor& hypervisor) {
  COHORT_TRY(check_machine_name(machine.name));
  COHORT_TRY(check_absent(hypervisor.find_machine(machine.name), fmt::format("named \"{}\"", machine.name)));
  if (!request.keep_ids) return {};
  return check_absent(hypervisor.machine(entry.id), fmt::format("with the UUID {}", entry.id.str()));
}

Result<void> check_path_is_free(const Path& path) {
  std::error_code code;
  if (std::filesystem::exists(std::filesystem::symlink_status(path, code))) {
    return fail(ErrorCode::kAlreadyExists,
                "\"{}\" exists already: choose another name or another folder (--storage); nothing is overwritten.",
                path.string());
  }
  return {};
}

// Of a machine that was removed, or is on another host: not ours to replace.
Result<void> check_no_tpm_state(const ImportRequest& request, const package::MachineEntry& entry,
                                Hypervisor& hypervisor) {
  if (!request.keep_ids || entry.tpm_state.empty()) return {};
  const Path folder = hypervisor.tpm_state_folder(entry.id);
  std::error_code code;
  if (!std::filesystem::exists(folder, code)) return {};
  return fail(ErrorCode::kAlreadyExists,
              "There is TPM state for the UUID {} in \"{}\" already: move it away, or import without --keep-ids.",
              entry.id.str(), folder.string());
}

Result<ImportedMachine> plan_machine(const ImportRequest& request, const PreparedImport& prepared,
                                     const package::MachineEntry& entry, Hypervisor& hypervisor, DiskCopier& copier,
                                     const std::stop_token& stop) {
  const Path& storage = prepared.plan.storage;
  ImportedMachine machine;
  machine.original_name = entry.name;
  machine.name = new_name(request, entry.name);
  machine.left_out = entry.left_out;
  if (request.keep_ids) machine.id = entry.id;
  COHORT_TRY(check_identity(request, entry, machine, hypervisor));
  COHORT_TRY(check_no_tpm_state(request, entry, hypervisor));
  for (const auto& disk : entry.disks) {
    const Path target = storage / fmt::format("{}-{}.{}", machine.name, disk.target, disk.format);
    COHORT_TRY(check_path_is_free(target));
    COHORT_ASSIGN(const auto bytes, measure_alone(prepared.package.chain, entry.id, disk, copier, stop));
    machine.bytes += bytes;
    machine.disks.push_back({disk.target, {target, disk.format}});
  }
  if (entry.nvram) COHORT_TRY(check_path_is_free(nvram_place(storage, machine.name)));
  return machine;
}

Result<void> check_names_differ(const std::vector<ImportedMachine>& machines) {
  std::set<std::string> names;
  for (const auto& machine : machines) {
    if (!names.insert(machine.name).second) {
      return fail(ErrorCode::kInvalidArgument, "Two machines would be named \"{}\".", machine.name);
    }
  }
  return {};
}

Result<void> check_storage(ImportPlan& plan) {
  std::error_code code;
  if (!std::filesystem::is_directory(plan.storage, code)) {
    return fail(ErrorCode::kNotFound, "The folder \"{}\" for the disks does not exist: make it first.",
                plan.storage.string());
  }
  COHORT_ASSIGN(plan.free_bytes, free_bytes(plan.storage));
  return {};
}

Result<void> check_space(const ImportPlan& plan) {
  if (plan.free_bytes >= plan.estimated_bytes) return {};
  return fail(ErrorCode::kNoSpace, "\"{}\" has {} MiB free, and the disks may take {} MiB: nothing was written.",
              plan.storage.string(), plan.free_bytes >> 20U, plan.estimated_bytes >> 20U);
}

}  // namespace

Result<PreparedImport> prepare_import(const ImportRequest& request, Hypervisor& hypervisor, DiskCopier& copier,
                                      const std::stop_token& stop) {
  COHORT_ASSIGN(auto opened, open_package(request.directory, request.trusted, hypervisor));
  PreparedImport prepared{std::move(opened), {}};
  COHORT_TRY(check_renames(request, prepared.package.manifest()));
  auto& plan = prepared.plan;
  plan.storage = std::filesystem::absolute(request.storage.empty() ? hypervisor.default_disk_folder() : request.storage)
                     .lexically_normal();
  COHORT_TRY(check_storage(plan));
  for (const auto& packaged : prepared.package.machines) {
    COHORT_ASSIGN(auto machine, plan_machine(request, prepared, packaged.entry, hypervisor, copier, stop));
    plan.estimated_bytes += machine.bytes;
    plan.machines.push_back(std::move(machine));
  }
  COHORT_TRY(check_names_differ(plan.machines));
  COHORT_TRY(check_space(plan));
  return prepared;
}

}  // namespace cohort::service
