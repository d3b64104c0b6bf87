#include "service/machine_parts.h"

#include "service/imported_machine.h"
#include "service/package_images.h"

namespace cohort::service {
namespace {

// "Virtual Machines/<uuid>.tpm/tpm2/x" is "tpm2/x".
std::string name_below_tpm_folder(const std::string& file) {
  const auto mark = file.find(".tpm/");
  return mark == std::string::npos ? file : file.substr(mark + 5);
}

}  // namespace

Path nvram_place(const Path& folder, const std::string& machine_name) {
  return folder / fmt::format("{}_VARS.fd", machine_name);
}

Result<UndoStep> MachineParts::will_remove(const Path& file) {
  files_.push_back(file);
  return job_.will_undo(UndoKind::kRemoveFile, file.string());
}

Result<void> MachineParts::will_remove_fresh_state(DefineMachineRequest& request, const Path& folder) {
  if (machine_.entry.tpm_state.empty()) {
    const Path state = hypervisor_.tpm_state_folder(request.new_id.value());
    COHORT_TRY(job_.will_undo(UndoKind::kRemoveTree, state.string()));
  }
  if (machine_.entry.nvram) return {};
  request.nvram = nvram_place(folder, request.name);
  COHORT_TRY(will_remove(*request.nvram));
  return {};
}

Result<void> MachineParts::complete(DefineMachineRequest& request, const Path& folder) {
  COHORT_TRY(put_tpm_state(request.id ? *request.id : request.new_id.value()));
  COHORT_ASSIGN(request.configuration, read_verified(package_.folder(), machine_.entry.configuration));
  if (request.configuration != machine_.configuration) {
    return fail(ErrorCode::kCorrupt, "\"{}\" has changed since it was checked.", machine_.entry.configuration.file);
  }
  COHORT_TRY(put_nvram(request, folder));
  COHORT_TRY(will_remove_port_files(request));
  request.mark = import_mark(job_.id(), files_);
  return {};
}

Result<UndoStep> MachineParts::will_undefine(const MachineId& id) {
  return job_.will_undo(UndoKind::kUndefineMachine, id.str());
}

Failure MachineParts::refuse(const Error& error, const UndoStep& step) {
  if (error.code == ErrorCode::kAlreadyExists) {
    if (const auto kept = job_.will_keep(step); !kept) return Failure{kept.error()};
  }
  return Failure{error};
}

Result<void> MachineParts::put_tpm_state(const MachineId& id) {
  if (machine_.entry.tpm_state.empty()) return {};
  std::vector<MachineStateFiles::File> files;
  for (const auto& file : machine_.entry.tpm_state) {
    COHORT_ASSIGN(auto content, read_verified(package_.folder(), file));
    files.push_back({name_below_tpm_folder(file.file), std::move(content)});
  }
  const Path folder = hypervisor_.tpm_state_folder(id);
  COHORT_ASSIGN(const auto step, job_.will_undo(UndoKind::kRemoveTree, folder.string()));
  if (const auto put = hypervisor_.write_tpm_state(id, files); !put) return refuse(put.error(), step);
  return {};
}

Result<void> MachineParts::put_nvram(DefineMachineRequest& request, const Path& folder) {
  if (!machine_.entry.nvram) return {};
  COHORT_ASSIGN(const auto content, read_verified(package_.folder(), *machine_.entry.nvram));
  const Path place = nvram_place(folder, request.name);
  COHORT_ASSIGN(const auto step, will_remove(place));
  if (const auto created = create_file(place, content); !created) return refuse(created.error(), step);
  request.nvram = place;
  return {};
}

// Removed after the machine is, which makes them when it is started. One that is there already is somebody else's:
// the machine appends to it, and it stays.
Result<void> MachineParts::will_remove_port_files(const DefineMachineRequest& request) {
  COHORT_ASSIGN(const auto files, hypervisor_.port_files(request));
  for (const auto& file : files) {
    std::error_code code;
    if (std::filesystem::exists(std::filesystem::symlink_status(file, code))) continue;
    COHORT_TRY(will_remove(file));
  }
  return {};
}

}  // namespace cohort::service
